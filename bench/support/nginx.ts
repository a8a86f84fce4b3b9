// nginx in its two roles: the upstream that serves fixed files, and the bare proxy without any sign-in to compare with.

import type { ChildProcess } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { launch, temporaryFolder } from './children.ts';
import type { Place } from './placement.ts';
import { answers } from './wait-for-answer.ts';

export interface Nginx {
  readonly origin: string;
  readonly pid: number;
  readonly child: ChildProcess;
}

/** Whether nginx is installed; Debian has it in /usr/sbin, which is not on every user's path. */
const NGINX = ['nginx', '/usr/sbin/nginx'].find((file) => spawnSync(file, ['-v'], { stdio: 'ignore' }).status === 0);

/** The upstream of every comparison: one worker that answers `/1k` and `/64k` from its cache of open files. */
export async function startNginxUpstream(place: Place): Promise<Nginx> {
  return start(place, async (folder) => {
    const files = join(folder, 'files');
    await mkdir(files);
    await writeFile(join(files, '1k'), 'x'.repeat(1024));
    await writeFile(join(files, '64k'), 'x'.repeat(64 * 1024));
    return {
      http: 'open_file_cache max=10 inactive=1h; default_type text/html;',
      location: `root ${files};`,
    };
  });
}

/** A proxy without sign-in: one worker, a pool of connections that are kept open, and the usual X-Forwarded headers. */
export async function startNginxProxy(place: Place, upstreamOrigin: string): Promise<Nginx> {
  return start(place, async () => ({
    http: `upstream app { server ${new URL(upstreamOrigin).host}; keepalive 128; keepalive_requests 1000000000; }`,
    location: `proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-User nobody;`,
  }));
}

async function start(
  place: Place,
  describe: (folder: string) => Promise<{ http: string; location: string }>,
): Promise<Nginx> {
  if (NGINX === undefined) throw new Error('nginx is not here: apt-get install nginx');
  const folder = await temporaryFolder();
  const port = await freePort();
  const { http, location } = await describe(folder);
  await writeFile(
    join(folder, 'nginx.conf'),
    // One process that is master and worker at once, so that its processor time is all there is.
    `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_timeout 75s; keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  ${http}
  server { listen 127.0.0.1:${port} backlog=4096; location / { ${location} } }
}
`,
  );
  const child = launch([NGINX, '-p', folder, '-c', join(folder, 'nginx.conf')], {
    place,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const origin = `http://127.0.0.1:${port}`;
  await answers(origin);
  return { origin, pid: child.pid!, child };
}
