// Keys of the contract whose capability is not built yet (design/config.md). They are refused, never ignored: who writes
// `workers: 4` must not believe that it works. When a capability lands, its line goes.

import type { JsonValue } from './located.ts';

export interface NotAvailableYet {
  /** `[]` stands for every item of a list. */
  readonly path: string;
  /** Values that work today; none: the key must be left out. A list is judged item by item. */
  readonly works: readonly JsonValue[];
}

export const notAvailableYet: readonly NotAvailableYet[] = [{ path: 'server.workers', works: [1] }];
