// What builds the Dockerfile where no container engine runs, and starts what it built: buildah with chroot isolation.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

// No daemon, no kernel features: what works in a container, in CI and on a workstation alike.
const env = { ...process.env, STORAGE_DRIVER: 'vfs', BUILDAH_ISOLATION: 'chroot' };

/** The script that is called as `build-image CONTEXT TAG`; undefined where there is none. */
export function findImageBuilder(): string | undefined {
  const script = process.env['PORTCULLIS_BUILD_IMAGE'] ?? join(ROOT, '../shared/tools/build-image');
  return existsSync(script) ? script : undefined;
}

/** What an image says of itself. */
export interface ImageConfig {
  readonly User: string;
  readonly Entrypoint: string[];
  readonly Cmd: string[];
  readonly Env: string[];
  readonly ExposedPorts: Record<string, object>;
}

/** Builds the repo's Dockerfile under `tag`. */
export async function buildImage(tag: string): Promise<ImageConfig> {
  const builder = findImageBuilder();
  if (builder === undefined)
    throw new Error('nothing to build the image with; `npm run test:image` says what it needs');
  await run(builder, [ROOT, tag], { env, maxBuffer: 64 * 1024 * 1024 });
  const { stdout } = await run('buildah', ['inspect', '--type', 'image', tag], { env });
  return (JSON.parse(stdout) as { OCIv1: { config: ImageConfig } }).OCIv1.config;
}

/** Takes the image away again; the base that it stands on stays for the next build. */
export async function removeImage(tag: string): Promise<void> {
  await run('buildah', ['rmi', tag], { env });
}

/** A container of an image: its file system, and commands that run in it as the image's user. */
export class Container {
  readonly name: string;
  /** Its root file system, as this machine sees it. */
  readonly root: string;
  readonly #flags: readonly string[];

  private constructor(name: string, root: string, flags: readonly string[]) {
    this.name = name;
    this.root = root;
    this.#flags = flags;
  }

  /** `volumes`: `host:container:ro`. */
  static async from(tag: string, volumes: readonly string[]): Promise<Container> {
    const name = (await run('buildah', ['from', tag], { env })).stdout.trim();
    const root = (await run('buildah', ['mount', name], { env })).stdout.trim();
    return new Container(
      name,
      root,
      volumes.flatMap((volume) => ['--volume', volume]),
    );
  }

  /** Starts a command; what it prints goes to the pipes of the process that is returned. */
  start(command: readonly string[], variables: Record<string, string> = {}): ChildProcess {
    const settings = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const args = ['run', ...this.#flags, ...settings, this.name, '--', ...command];
    return spawn('buildah', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Runs a command to its end. */
  async run(
    command: readonly string[],
    variables: Record<string, string> = {},
  ): Promise<{ code: number; output: string }> {
    const child = this.start(command, variables);
    let output = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code: code ?? 1, output };
  }

  async remove(): Promise<void> {
    await run('buildah', ['rm', this.name], { env });
  }
}
