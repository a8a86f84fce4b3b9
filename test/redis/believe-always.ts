// Spoils a gate that is started with `--import` of this file: it goes on believing what it remembers when its lease has
// lapsed. A checker of histories that does not see this sees nothing.

import { Lease } from '../../src/session/redis/lease.ts';

Lease.prototype.isHeld = () => true;
