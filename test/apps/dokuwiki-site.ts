// Debian's DokuWiki, unmodified, with a configuration and data of its own (its preload file is made for that).

import { createHash } from 'node:crypto';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { AppProcess, appFolder } from './app-process.ts';

export interface DokuWikiSite {
  readonly origin: string;
  stop(): Promise<void>;
}

/** A wiki of these users, who all have this one password in it. */
export async function startDokuWiki(users: readonly string[], password: string): Promise<DokuWikiSite> {
  const folder = await appFolder('dokuwiki');
  const [conf, data] = [join(folder.path, 'conf/'), join(folder.path, 'data')];
  await mkdir(conf);
  await cp('/var/lib/dokuwiki/data', data, { recursive: true });
  const hash = createHash('sha1').update(password).digest('hex');
  const lines = users.map((user) => `${user}:${hash}:${user} Example:${user}@example.com:user\n`);
  await writeFile(join(conf, 'users.auth.php'), lines.join(''));
  await writeFile(join(conf, 'acl.auth.php'), '* @ALL 0\n* @user 16\n');
  await writeFile(
    join(conf, 'local.php'),
    `<?php
$conf['title'] = 'The wiki';
$conf['useacl'] = 1;
$conf['superuser'] = 'nobody';
$conf['savedir'] = '${data}';
`,
  );
  const preload = join(folder.path, 'preload.php');
  await writeFile(preload, `<?php define('DOKU_CONF', '${conf}');\n`);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const app = await AppProcess.start({
    command: 'php',
    args: ['-d', `auto_prepend_file=${preload}`, '-S', `127.0.0.1:${port}`, '-t', '/usr/share/dokuwiki'],
    env: { PHP_CLI_SERVER_WORKERS: '4' },
    readyUrl: `${origin}/doku.php`,
  });
  return {
    origin,
    async stop() {
      await app.stop();
      await folder.remove();
    },
  };
}
