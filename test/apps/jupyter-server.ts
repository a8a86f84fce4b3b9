// Jupyter Server of PyPI, unmodified, with a folder of notebooks of its own.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { AppProcess, appFolder } from './app-process.ts';
import { pythonCommand } from './python-apps.ts';

export interface JupyterServer {
  readonly origin: string;
  /** Where its notebooks and files are. */
  readonly notebooks: string;
  stop(): Promise<void>;
}

/** `options`: of its command line, as the page gives them. */
export async function startJupyter(token: string, options: readonly string[]): Promise<JupyterServer> {
  const folder = await appFolder('jupyter');
  const notebooks = join(folder.path, 'notebooks');
  await mkdir(notebooks);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const app = await AppProcess.start({
    command: pythonCommand('jupyter-server'),
    args: ['--allow-root', '--no-browser', '--ip=127.0.0.1', `--port=${port}`, ...options],
    cwd: notebooks,
    // Its kernels, settings and connection files are its own, not those of whoever runs the tests.
    env: {
      HOME: folder.path,
      JUPYTER_TOKEN: token,
      JUPYTER_CONFIG_DIR: join(folder.path, 'config'),
      JUPYTER_DATA_DIR: join(folder.path, 'data'),
      JUPYTER_RUNTIME_DIR: join(folder.path, 'runtime'),
      IPYTHONDIR: join(folder.path, 'ipython'),
    },
    readyUrl: `${origin}/api`,
  });
  return {
    origin,
    notebooks,
    async stop() {
      await app.stop();
      await folder.remove();
    },
  };
}
