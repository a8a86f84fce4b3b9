// One connection to one Redis server, which comes back by itself. RESP3 brings replies and messages over the same
// connection in the order in which the server made them: a reply proves that every message before it has been heard.
// Commands have deadlines and none is ever sent twice: one whose answer did not come may have been carried out.

import { GatewayError } from '../../base/gateway-error.ts';
import { openClient, type RedisClient, withDeadline } from './open-client.ts';
import { HOPELESS, reasonOf, redisErrorCode, storeUnavailable } from './redis-errors.ts';
import type { RedisScript } from './redis-script.ts';
import type { RedisAccess, RedisAddress } from './redis-target.ts';

/** Between two tries to connect; the first is at once. A server that is coming up shall not be kept down. */
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 2_000;

/** A server that answers with one of these is the wrong one now: a connection to the right one has to be made. */
const WRONG_SERVER = ['READONLY', 'MOVED', 'NOAUTH', 'WRONGPASS', 'NOPERM'];

export type RedisArgument = string | Buffer;

export interface RedisConnectionOptions {
  /** Asked before every connection: with sentinels the answer changes. */
  readonly address: () => Promise<RedisAddress>;
  readonly access: RedisAccess;
  readonly commandTimeoutMs: number;
  /** What is listened to, from before `onUp` on. */
  readonly channels: Readonly<Record<string, (message: string) => void>>;
  /** The connection is there and can be used; where this rejects, it is given up and made again. */
  readonly onUp: () => Promise<void>;
  /** It is gone, or cannot be had, and now for this reason. */
  readonly onDown: (why: string) => void;
}

/** Connects when it is started, and again whenever the connection is lost, until it is closed. */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  #client: RedisClient | undefined;
  #trouble: string | undefined = 'not connected yet';
  #isHopeless = false;
  #closed = false;
  #retries = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #bufferMapping: object = {};

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  /** Why nothing can be sent now; undefined when something can. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Whether the last try met something that will be the same at the next one. */
  get isHopeless(): boolean {
    return this.#trouble !== undefined && this.#isHopeless;
  }

  /** Resolves after the first try, whatever came of it: `trouble` says. */
  start(): Promise<void> {
    return this.#connect();
  }

  /** @throws GatewayError `store_unavailable` */
  send<Reply>(args: readonly RedisArgument[]): Promise<Reply> {
    return this.#send(args, {});
  }

  /** The same, for replies whose texts are bytes. @throws GatewayError `store_unavailable` */
  sendForBytes<Reply>(args: readonly RedisArgument[]): Promise<Reply> {
    return this.#send(args, { typeMapping: this.#bufferMapping });
  }

  /** Runs a script. @throws GatewayError `store_unavailable` */
  run<Reply>(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<Reply> {
    return runScript((command) => this.send<Reply>(command), script, [String(keys.length), ...keys, ...args]);
  }

  /** The same, for replies whose texts are bytes. @throws GatewayError `store_unavailable` */
  runForBytes<Reply>(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<Reply> {
    return runScript((command) => this.sendForBytes<Reply>(command), script, [String(keys.length), ...keys, ...args]);
  }

  /** Gives the connection up and makes a new one: nothing is heard on it any more. */
  renew(why: string): void {
    this.#lose(this.#client, why);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    const client = this.#client;
    this.#client = undefined;
    this.#trouble = 'closed';
    client?.destroy();
  }

  #send<Reply>(args: readonly RedisArgument[], options: object): Promise<Reply> {
    const client = this.#client;
    if (client === undefined || this.#trouble !== undefined) {
      return Promise.reject(storeUnavailable(this.#trouble ?? 'not connected'));
    }
    return new Promise<Reply>((resolve, reject) => {
      let isAnswered = false;
      const late = (): void => {
        if (isAnswered) return;
        // What waits behind this one would wait in vain too: the server answers in order.
        this.#lose(client, 'the server does not answer');
        reject(storeUnavailable('the server does not answer'));
      };
      // Where this process was held up, the answer may be here and not read yet: it is, before the immediate.
      const timer = setTimeout(() => setImmediate(late), this.#options.commandTimeoutMs);
      const answered = (): void => {
        isAnswered = true;
        clearTimeout(timer);
      };
      client.sendCommand(args as RedisArgument[], options).then(
        (reply) => {
          answered();
          resolve(reply as Reply);
        },
        (error) => {
          answered();
          if (WRONG_SERVER.includes(redisErrorCode(error) ?? '')) this.#lose(client, reasonOf(error));
          reject(storeUnavailable(reasonOf(error), error));
        },
      );
    });
  }

  async #connect(): Promise<void> {
    try {
      const client = await this.#open();
      if (this.#closed) {
        client.destroy();
        return;
      }
      this.#client = client;
      this.#trouble = undefined;
      await this.#options.onUp();
      this.#retries = 0;
    } catch (error) {
      const why = reasonOf(error);
      this.#isHopeless = HOPELESS.includes(redisErrorCode(error instanceof GatewayError ? error.cause : error) ?? '');
      if (this.#client === undefined) this.#tryAgain(why);
      else this.#lose(this.#client, why);
    }
  }

  /** A client that is connected and listens to the channels. */
  async #open(): Promise<RedisClient> {
    const { address, access, commandTimeoutMs, channels } = this.#options;
    const { RESP_TYPES } = await import('@redis/client');
    this.#bufferMapping = { [RESP_TYPES.BLOB_STRING]: Buffer };
    // What it tells there, the rejection of every command tells too.
    const client = await openClient(await address(), { access, timeoutMs: commandTimeoutMs }, (error, lost) =>
      this.#lose(lost, reasonOf(error)),
    );
    try {
      await withDeadline(commandTimeoutMs, async () => {
        for (const [channel, listener] of Object.entries(channels)) await client.subscribe(channel, listener);
      });
      return client;
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  #lose(client: RedisClient | undefined, why: string): void {
    if (client === undefined || this.#client !== client) return;
    this.#client = undefined;
    client.destroy();
    this.#tryAgain(why);
  }

  #tryAgain(why: string): void {
    const isNews = this.#trouble !== why;
    this.#trouble = why;
    if (this.#closed) return;
    if (isNews) this.#options.onDown(why);
    const delayMs = Math.min(LONGEST_RETRY_MS, RETRY_MS * this.#retries++);
    this.#retryTimer = setTimeout(() => void this.#connect(), delayMs).unref();
  }
}

/** Runs a script by its hash, and by its text where the server does not know it yet, or not any more. */
export async function runScript<Reply>(
  send: (args: readonly RedisArgument[]) => Promise<Reply>,
  script: RedisScript,
  rest: readonly RedisArgument[],
): Promise<Reply> {
  try {
    return await send(['EVALSHA', script.sha, ...rest]);
  } catch (error) {
    if (!(error instanceof GatewayError) || redisErrorCode(error.cause) !== 'NOSCRIPT') throw error;
    return send(['EVAL', script.text, ...rest]);
  }
}
