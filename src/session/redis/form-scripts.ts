// What has to happen in one operation of the store with a form that waits: each is kept within bounds, and taken once.

import { script } from './redis-script.ts';

/**
 * KEEP_FORM form forms · sealed owner bytes lifetimeMs [formsOfOwner bytesOfOwner formsOfAll bytesOfAll] → 1, or 0 where it
 * would be too many. `forms` lists each that waits, by the time at which it is gone, as "owner bytes key".
 */
export const KEEP_FORM = script(`
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if ARGV[5] then
  local bytes = tonumber(ARGV[3])
  local own, ownBytes, all, allBytes = 1, bytes, 1, bytes
  for _, entry in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    local owner, size = string.match(entry, '^(%S+) (%d+) ')
    all, allBytes = all + 1, allBytes + size
    if owner == ARGV[2] then own, ownBytes = own + 1, ownBytes + size end
  end
  if own > tonumber(ARGV[5]) or ownBytes > tonumber(ARGV[6]) then return 0 end
  if all > tonumber(ARGV[7]) or allBytes > tonumber(ARGV[8]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4])
redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. KEYS[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[2], ARGV[4]) end
return 1`);

/** FIND_FORM form → its head, '' where it is taken, or nothing. The head stands behind its own length, a number of four bytes. */
export const FIND_FORM = script(`
local first = redis.call('GETRANGE', KEYS[1], 0, 3)
if first == '' then return redis.call('GET', KEYS[1]) end
local a, b, c, d = string.byte(first, 1, 4)
return redis.call('GETRANGE', KEYS[1], 4, 3 + ((a * 256 + b) * 256 + c) * 256 + d)`);

/** TAKE_FORM form forms → the form, '' where it is taken already, or nothing: the first gets it, and '' stands in its place. */
export const TAKE_FORM = script(`
local form = redis.call('GET', KEYS[1])
if not form or form == '' then return form end
redis.call('SET', KEYS[1], '', 'KEEPTTL')
for _, entry in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if string.sub(entry, -#KEYS[1]) == KEYS[1] then redis.call('ZREM', KEYS[2], entry) end
end
return form`);
