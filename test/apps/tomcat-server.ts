// Debian's Tomcat with its examples and its manager, unmodified, in a CATALINA_BASE of its own.

import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { AppProcess, appFolder } from './app-process.ts';

export interface TomcatServer {
  readonly origin: string;
  stop(): Promise<void>;
}

/** A server of these users with their roles, who all have this one password in it. */
export async function startTomcat(users: Readonly<Record<string, string>>, password: string): Promise<TomcatServer> {
  const { path: base, remove } = await appFolder('tomcat');
  for (const folder of ['logs', 'temp', 'work', 'webapps']) await mkdir(join(base, folder));
  const conf = join(base, 'conf');
  await cp('/usr/share/tomcat10/etc', conf, { recursive: true });
  for (const app of ['examples', 'manager']) {
    await cp(`/etc/tomcat10/Catalina/localhost/${app}.xml`, join(conf, `Catalina/localhost/${app}.xml`));
  }
  const lines = Object.entries(users).map(([name, roles]) => {
    return `<user username="${name}" password="${password}" roles="${roles}"/>`;
  });
  await writeFile(
    join(conf, 'tomcat-users.xml'),
    `<tomcat-users xmlns="http://tomcat.apache.org/xml">${lines.join('')}</tomcat-users>`,
  );
  const port = await freePort();
  const server = join(conf, 'server.xml');
  const text = (await readFile(server, 'utf8'))
    // The first connector; the others are comments.
    .replace('<Connector port="8080"', `<Connector address="127.0.0.1" port="${port}"`)
    // One sign-in for the applications of the server, as its own comment there suggests.
    .replace(/<Host [^>]*>/, (host) => `${host}<Valve className="org.apache.catalina.authenticator.SingleSignOn"/>`);
  await writeFile(server, text);
  const origin = `http://127.0.0.1:${port}`;
  const app = await AppProcess.start({
    command: '/usr/share/tomcat10/bin/catalina.sh',
    args: ['run'],
    env: {
      CATALINA_HOME: '/usr/share/tomcat10',
      CATALINA_BASE: base,
      CATALINA_TMPDIR: join(base, 'temp'),
      CATALINA_OPTS: '-XX:TieredStopAtLevel=1 -Djava.security.egd=file:/dev/urandom',
    },
    readyUrl: `${origin}/examples/`,
  });
  return {
    origin,
    async stop() {
      await app.stop();
      await remove();
    },
  };
}
