// A server that greets as an older Redis does, and knows next to nothing: there is none of them to install.

import { type AddressInfo, createServer, type Server } from 'node:net';

/** Listens on a free port of 127.0.0.1. `version`: what it says of itself; before 6 it does not know the greeting. */
export async function startOldServer(version: string): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (;;) {
        const [command, rest] = nextCommand(text);
        if (command === undefined) return;
        text = rest;
        socket.write(answer(command, version));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

function answer([name = '', ...args]: readonly string[], version: string): string {
  switch (name.toUpperCase()) {
    case 'HELLO':
      if (Number.parseInt(version, 10) < 6) break;
      return '%1\r\n+server\r\n+redis\r\n';
    case 'SUBSCRIBE':
      return `>3\r\n${bulk('subscribe')}${bulk(args[0]!)}:1\r\n`;
    case 'INFO':
      return bulk(`redis_version:${version}\r\nredis_mode:standalone\r\nrole:master\r\nmaxmemory:0\r\n`);
    case 'EVALSHA':
      return '-NOSCRIPT No matching script. Please use EVAL.\r\n';
    case 'EVAL':
      return "-ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'\r\n";
  }
  return `-ERR unknown command \`${name}\`, with args beginning with: \r\n`;
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** The first whole command, an array of bulk strings, and what comes behind it. */
function nextCommand(text: string): [readonly string[] | undefined, string] {
  let at = 0;
  const line = (): string | undefined => {
    const end = text.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const found = text.slice(at, end);
    at = end + 2;
    return found;
  };
  const count = line();
  if (count === undefined) return [undefined, text];
  const command: string[] = [];
  for (let i = 0; i < Number(count.slice(1)); i++) {
    const length = line();
    if (length === undefined) return [undefined, text];
    const end = at + Number(length.slice(1));
    if (text.length < end + 2) return [undefined, text];
    command.push(text.slice(at, end));
    at = end + 2;
  }
  return [command, text.slice(at)];
}
