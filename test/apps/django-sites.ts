// The two Django sites of the suite, each served by Django itself with a database of its own.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AppProcess, appFolder } from './app-process.ts';
import { pythonCommand } from './python-apps.ts';

export interface DjangoSite {
  stop(): Promise<void>;
}

const FOLDER = join(import.meta.dirname, 'django');

/** `settings`: the name of its settings module in the folder `django`. */
export async function startDjango(
  settings: 'gated' | 'oidc',
  { port, env = {} }: { port: number; env?: Readonly<Record<string, string>> },
): Promise<DjangoSite> {
  const folder = await appFolder(`django-${settings}`);
  const address = `127.0.0.1:${port}`;
  const app = await AppProcess.start({
    command: pythonCommand('python'),
    args: ['-B', 'serve.py', settings, address],
    cwd: FOLDER,
    env: {
      DJANGO_DATABASE: join(folder.path, 'database'),
      DJANGO_SECRET_KEY: randomBytes(32).toString('hex'),
      DJANGO_SUPERUSER_PASSWORD: randomBytes(32).toString('hex'),
      ...env,
    },
    readyUrl: `http://${address}/nothing`,
  });
  return {
    async stop() {
      await app.stop();
      await folder.remove();
    },
  };
}
