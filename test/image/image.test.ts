// The image, built from the Dockerfile and started as its users start it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { buildImage, Container, type ImageConfig, removeImage } from './image-builder.ts';

const ROOT = join(import.meta.dirname, '../..');
const TAG = 'portcullis:test';

/** Every file of a folder with its size and times of change: two of these differ where anything was written between. */
function fingerprint(folder: string): string[] {
  const format = '%P %s %C@ %T@\\n';
  const listing = execFileSync('find', [folder, '-xdev', '-printf', format], { maxBuffer: 64 * 1024 * 1024 });
  return listing.toString().split('\n');
}

/** The process that was given `marker` in its environment and listens as the gate: its id and its user's. */
function findGate(marker: string): { pid: number; uid: number } | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const isNode = readlinkSync(`/proc/${pid}/exe`).endsWith('/node');
      const isGate = /portcullis\0start\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
      if (!isNode || !isGate || !readFileSync(`/proc/${pid}/environ`, 'latin1').includes(marker)) continue;
      const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return { pid: Number(pid), uid: Number(uid) };
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}

/** The health check of the Dockerfile, as the engine would run it. */
function healthCheck(): string[] {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  return JSON.parse(/^HEALTHCHECK[^[]*(\[.*\])$/m.exec(dockerfile)![1]!) as string[];
}

describe('the image', () => {
  let image: ImageConfig;
  let container: Container;
  let folder: string;
  let port: number;
  let adminPort: number;

  before(async () => {
    image = await buildImage(TAG);
    [port, adminPort] = [await freePort(), await freePort()];
    folder = mkdtempSync(join(tmpdir(), 'portcullis-image-'));
    const config = {
      public_url: `http://127.0.0.1:${port}`,
      server: { listen: `127.0.0.1:${port}` },
      // Nothing is there: the gate starts all the same and says so.
      provider: { issuer: 'http://127.0.0.1:9/realms/acme', client_id: 'gate', client_secret: 'secret-of-the-test' },
      session: { secret: 'a secret of at least thirty-two bytes' },
      routes: [{ upstream: 'http://127.0.0.1:9' }],
    };
    writeFileSync(join(folder, 'portcullis.yaml'), JSON.stringify(config));
    // As a folder on a user's disk is, not as mkdtemp makes it: the image's user is another than ours.
    chmodSync(folder, 0o755);
    container = await Container.from(TAG, [`${folder}:/etc/portcullis:ro`]);
  });

  after(async () => {
    await container.remove();
    await removeImage(TAG);
    rmSync(folder, { recursive: true });
  });

  test('says how it is run: not as root, `portcullis start`, admin listener reachable from other containers', () => {
    assert.equal(image.User, 'node');
    assert.deepEqual([image.Entrypoint, image.Cmd], [['portcullis'], ['start']]);
    assert.deepEqual(Object.keys(image.ExposedPorts).sort(), ['8080/tcp', '9090/tcp']);
    assert.ok(image.Env.includes('PORTCULLIS_ADMIN_LISTEN=0.0.0.0:9090'));
  });

  test('carries what it needs at run time and nothing of what built it', () => {
    const there = (path: string) => existsSync(join(container.root, 'opt/portcullis', path));
    assert.ok(there('dist/main.js') && there('node_modules/koa') && there('LICENSE'));
    for (const path of ['src', 'test', 'node_modules/node', 'node_modules/typescript', 'node_modules/oidc-provider']) {
      assert.ok(!there(path), `${path} is in the image`);
    }
  });

  test('finds its mistakes with `check`, by the exit code of the contract', async () => {
    const good = await container.run([...image.Entrypoint, 'check']);
    assert.equal(good.code, 0, good.output);
    const none = await container.run([...image.Entrypoint, 'check', '-c', '/nowhere.yaml']);
    assert.notEqual(none.code, 0);
  });

  test('serves as a user without rights, is healthy, stops on SIGTERM, and has written nothing', async (context) => {
    const variables = {
      PORTCULLIS_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      PORTCULLIS_HEALTH_URL: `http://127.0.0.1:${adminPort}/healthz`,
    };
    // The engine makes mount points once; from here on every change is the gate's.
    await container.run(['true'], variables);
    const before = new Set(fingerprint(container.root));
    assert.equal((await container.run(healthCheck(), variables)).code, 1, 'healthy before it was started');

    const started = container.start([...image.Entrypoint, ...image.Cmd], variables);
    context.after(() => started.kill('SIGKILL'));
    const exited = new Promise<number | null>((resolve) => started.on('close', resolve));
    let output = '';
    started.stdout!.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    started.stderr!.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    while (!output.includes('gate.started')) {
      assert.equal(started.exitCode, null, output);
      await delay(50);
    }
    const gate = findGate(`PORTCULLIS_ADMIN_LISTEN=127.0.0.1:${adminPort}`);
    assert.ok(gate !== undefined, 'no process of the gate');
    assert.equal(gate.uid, 1000);
    assert.equal((await fetch(`http://127.0.0.1:${port}/_gate/healthz`)).status, 200);
    assert.equal((await container.run(healthCheck(), variables)).code, 0);

    process.kill(gate.pid, 'SIGTERM');
    assert.equal(await exited, 0, output);
    // The engine keeps its own notes in /run.
    const written = fingerprint(container.root).filter((entry) => !before.has(entry) && !/^run /.test(entry));
    assert.deepEqual(written, []);
  });
});
