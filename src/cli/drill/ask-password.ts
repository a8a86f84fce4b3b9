// Asks for a password at the terminal, without showing it.

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

export function askPassword(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  return new Promise((resolve) => {
    terminal.question('', (answer) => {
      terminal.close();
      process.stderr.write('\n');
      resolve(answer);
    });
    terminal.on('SIGINT', () => process.exit(130));
  });
}
