// The whole castle in one process: the provider, two legacy applications and a gate in front of each.

import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { startGate } from '../../app/start-gate.ts';
import type { GateEvent } from '../../base/events.ts';
import { gateConfiguration } from './gate-configuration.ts';
import { type AppEvent, startLegacyApp } from './legacy-app.ts';
import { loadPackages } from './load-packages.ts';
import { type GateClient, startProvider } from './provider.ts';
import { reservePort } from './reserve-port.ts';

export interface Demo {
  readonly wiki: string;
  readonly notes: string;
  readonly accounts: string;
  /** Ends everything; running connections are cut. */
  stop(): Promise<void>;
}

export interface DemoOptions {
  /** Ports to take where they are free; 0: any. */
  readonly ports: { readonly wiki: number; readonly notes: number; readonly accounts: number };
  readonly onAppEvent: (event: AppEvent) => void;
  readonly onGateEvent: (gate: string, event: GateEvent) => void;
}

/** @throws Error in one line where a package is missing or a port cannot be had; nothing is left running then. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { Provider, ws } = await loadPackages();
  const clients = [await newClient('wiki', options.ports.wiki), await newClient('notes', options.ports.notes)];
  const links = Object.fromEntries(clients.map(({ name, publicUrl }) => [name, publicUrl]));
  const running: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const part of running.reverse()) await part.stop();
  };
  try {
    const provider = await startProvider({ Provider, clients, port: await reservePort(options.ports.accounts) });
    running.push(provider);
    for (const client of clients) {
      const { name } = client;
      const app = await startLegacyApp({
        name,
        links: { ...links, accounts: provider.origin },
        ws,
        tell: options.onAppEvent,
      });
      running.push(app);
      const config = gateConfiguration({ client, issuer: provider.origin, upstream: app.origin });
      const { promise: ready, resolve } = Promise.withResolvers<void>();
      const gate = await startGate(config, {
        destination: eventLines((event) => {
          if (event.event === 'provider.ready') resolve();
          options.onGateEvent(name, event);
        }),
      });
      running.push(gate);
      await ready;
    }
    return { wiki: links['wiki']!, notes: links['notes']!, accounts: provider.origin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function newClient(name: GateClient['name'], port: number): Promise<GateClient> {
  const publicUrl = `http://127.0.0.1:${await reservePort(port)}`;
  return { name, clientId: `${name}-gate`, clientSecret: randomBytes(32).toString('hex'), publicUrl };
}

/** Takes a gate's log, one JSON object a line, and hands the events on. */
function eventLines(onEvent: (event: GateEvent) => void): Writable {
  let rest = '';
  return new Writable({
    write(chunk, _encoding, done) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop()!;
      for (const line of lines) onEvent(JSON.parse(line) as GateEvent);
      done();
    },
  });
}
