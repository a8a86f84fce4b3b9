// portcullis start: runs the gate until a signal, drains, and exits.

import { errorLine } from '../app/error-line.ts';
import { startGate } from '../app/start-gate.ts';
import { environment } from '../config/environment.ts';
import { loadConfig } from '../config/load-config.ts';
import { WatchFiles } from '../config/watch-files.ts';
import { readConfig } from './config-option.ts';

export async function start(args: readonly string[]): Promise<number> {
  const read = readConfig(args);
  if (read === undefined) return 1;
  // Listened for before the start: whoever sees the gate serve may stop it at once.
  const asked = firstSignal();
  let isOutdated = false;
  let reload = () => {
    isOutdated = true;
  };
  const watch = new WatchFiles(() => reload());
  watch.watch(read.files);
  // Listened for before the start as well: unheard it would end the process.
  process.on('SIGHUP', () => reload());
  // Sessions live in this process: a fault in one connection must not sign everybody out. It is said, and repaired.
  process.on('uncaughtException', (error) => console.error(`portcullis: a fault, please report it: ${error.stack}`));
  try {
    const gate = await startGate(read.config);
    reload = () => {
      const loaded = loadConfig({ file: read.file, env: environment() });
      // Those that a mistaken file names, too: the mistake may be in one of them.
      watch.watch(loaded.files);
      gate.reload(loaded);
    };
    // Something has changed while it was starting.
    if (isOutdated) reload();
    const signal = await asked;
    watch.stop();
    // Whoever asks twice does not want to wait.
    process.once('SIGTERM', () => process.exit(1)).once('SIGINT', () => process.exit(1));
    await gate.stop(signal);
    // Whatever a client or an upstream still holds open must not keep the process.
    process.exit(0);
  } catch (error) {
    console.error(`portcullis: ${errorLine(error)}`);
    return 1;
  }
}

function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
      resolve(signal);
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}
