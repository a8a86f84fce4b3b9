// The whole castle in one process: the provider, two legacy applications and a gate in front of each.

import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { startGate } from '../../app/start-gate.ts';
import type { GateEvent } from '../../base/events.ts';
import { gateConfiguration } from './gate-configuration.ts';
import { type DemoPackages, loadPackages } from './load-packages.ts';
import { type ReservedPort, reservePort } from './reserve-port.ts';
import { type AppEvent, startLegacyApp } from './start-legacy-app.ts';
import { startProvider } from './start-provider.ts';
import { within } from './until.ts';

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

/** Reading the provider's metadata over loopback takes milliseconds. */
const READY_MS = 10_000;

/** @throws Error in one line where a package is missing or a port cannot be had; nothing is left running then. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  return await raise(options, await loadPackages());
}

async function raise(options: DemoOptions, { Provider, ws }: DemoPackages): Promise<Demo> {
  const ports = {
    wiki: await reservePort(options.ports.wiki),
    notes: await reservePort(options.ports.notes),
    accounts: await reservePort(options.ports.accounts),
  };
  const links = { wiki: originOf(ports.wiki), notes: originOf(ports.notes), accounts: originOf(ports.accounts) };
  const running: { stop(): Promise<void> }[] = Object.values(ports).map(({ release }) => ({ stop: release }));
  const stop = async () => {
    for (const part of running.reverse()) await part.stop();
  };
  const clients = (['wiki', 'notes'] as const).map((name) => {
    return { name, publicUrl: links[name], clientId: `${name}-gate`, clientSecret: randomBytes(32).toString('hex') };
  });
  try {
    await ports.accounts.release();
    running.push(await startProvider({ Provider, clients, port: ports.accounts.port }));
    for (const client of clients) {
      const app = await startLegacyApp({ name: client.name, links, ws, tell: options.onAppEvent });
      running.push(app);
      const config = gateConfiguration({ client, issuer: links.accounts, upstream: app.origin });
      await ports[client.name].release();
      const ready = Promise.withResolvers<void>();
      const destination = eventLines((event) => {
        if (event.event === 'provider.ready') ready.resolve();
        options.onGateEvent(client.name, event);
      });
      running.push(await startGate(config, { destination }));
      await within(READY_MS, ready.promise, `the gate of the ${client.name} does not find the provider`);
    }
    return { ...links, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function originOf({ port }: ReservedPort): string {
  return `http://127.0.0.1:${port}`;
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
