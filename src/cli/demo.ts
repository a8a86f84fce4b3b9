// portcullis demo: a provider, two legacy applications and their gates in one process. In a terminal it says what to
// click; where nobody watches it plays the same story by itself.

import { appLine, gateLine, guide } from './demo/guide.ts';
import { playStory } from './demo/play-story.ts';
import { startDemo } from './demo/start-demo.ts';
import { UsageError } from './usage-error.ts';

/** Taken where they are free, so that the addresses are easy to type. */
const PORTS = { wiki: 8080, notes: 8081, accounts: 8082 };

export async function demo(args: readonly string[]): Promise<number> {
  if (args.length > 0) throw new UsageError(`demo takes no arguments, and this is one: ${args[0]}`);
  if (!process.stdout.isTTY) return (await playStory(console.log)) ? 0 : 1;
  const running = await startDemo({
    ports: PORTS,
    onAppEvent: (event) => console.log(appLine(event)),
    onGateEvent: (gate, event) => {
      const line = gateLine(gate, event);
      if (line !== undefined) console.log(line);
    },
  });
  console.log(guide(running));
  await interrupted();
  await running.stop();
  return 0;
}

/** Ctrl-C, or whatever else asks to end; a second time ends at once. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve();
      });
    }
  });
}
