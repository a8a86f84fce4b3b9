// What has to happen in one operation of the store. Each script works on one key, but for the mark, whose two keys share a
// slot. Times are whole microseconds of the store's clock, as text: Lua would cut them.

import { script } from './redis-script.ts';
import { RECORD_FIELDS } from './stored-record.ts';

/** The store's time in microseconds: its server's clock, and never before or at the last mark, whatever server that was. */
const STORE_TIME = `
local function text(number) return string.format('%.0f', number) end
local function later(last)
  local clock = redis.call('TIME')
  local now = clock[1] * 1000000 + clock[2]
  last = tonumber(last or '0')
  if now <= last then return last + 1 end
  return now
end
local function storeTime(bus) return later(redis.call('HGET', bus, 'last')) end`;

/** What every look begins with: the replica is registered among those that a mark has to wait for. */
const LOOKED = `
local function looked(bus, replica, lifetimeMs)
  local known = redis.call('HMGET', bus, 'last', 'seq', 'tip')
  local now = text(later(known[1]))
  redis.call('HSET', bus, 'm:' .. replica, now)
  redis.call('PEXPIRE', bus, lifetimeMs)
  return {now, known[2] or '0', known[3] or '-'}
end`;

/**
 * LOOK bus tombstone… · replica lifetimeMs → [time, seq, tip, tombstone…]: registers the replica, and reads tombstones. A write,
 * so that a server that has become a replica of another answers nothing; and allowed with a full memory, so that sessions
 * that exist go on.
 */
export const LOOK = script(`#!lua flags=allow-oom
${STORE_TIME}
${LOOKED}
local reply = looked(KEYS[1], ARGV[1], ARGV[2])
if #KEYS == 1 then return reply end
for _, tombstone in ipairs(redis.call('MGET', unpack(KEYS, 2))) do reply[#reply + 1] = tombstone end
return reply`);

/**
 * A record's fields, in the order of RECORD_FIELDS; and the tombstones that the last of them names, if there is any. Another
 * program's data are no record.
 */
const READ = `
local function readInto(reply, session, tombstones)
  local values = redis.pcall('HMGET', session, '${RECORD_FIELDS.join("', '")}')
  if values.err then
    if not string.find(values.err, '^WRONGTYPE') then return values end
    values = {}
  end
  reply[#reply + 1] = values
  local names = {}
  for name in string.gmatch(values[${RECORD_FIELDS.length}] or '', '%S+') do names[#names + 1] = tombstones .. name end
  if #names == 0 then return reply end
  local found = redis.call('MGET', unpack(names))
  for _, tombstone in ipairs(found) do
    if tombstone then
      reply[#reply + 1] = found
      return reply
    end
  end
  return reply
end`;

/**
 * LOOK_AT bus session · tombstones replica lifetimeMs → [time, seq, tip, [value…], [tombstone…]]: a record together with a look at
 * the ends that its last field names, where one server has all of it.
 */
export const LOOK_AT = script(`#!lua flags=allow-oom
${STORE_TIME}
${LOOKED}
${READ}
return readInto(looked(KEYS[1], ARGV[2], ARGV[3]), KEYS[2], ARGV[1])`);

/**
 * READ_AT session · tombstones → [[value…], [tombstone…]]: the same for a replica that has looked lately. A write by its flags, as
 * a look is.
 */
export const READ_AT = script(`#!lua flags=allow-oom
${READ}
return readInto({}, KEYS[1], ARGV[1])`);

/** A tombstone's own values, or what an earlier one of the same name says more strongly: that is never weakened. */
const MERGED = `
local function merged(tombstone, at, before)
  local oldAt, oldBefore = string.match(redis.call('GET', tombstone) or '', '^(%d+) (%d+)')
  if not oldAt then return at, before end
  return math.max(at, tonumber(oldAt)), math.max(before, tonumber(oldBefore))
end`;

/**
 * MARK tombstone bus · issuedBefore lifetimeMs arrived|'' tip channel message → [arrived, replica, beat age µs, …]: writes the
 * tombstone and tells every replica. An end that was heard earlier and is written only now arrived when it was heard.
 * Replicas not heard of for a minute are gone.
 */
export const MARK = script(`#!lua flags=allow-oom
${STORE_TIME}
${MERGED}
local now = storeTime(KEYS[2])
local arrived = now
if ARGV[3] ~= '' and tonumber(ARGV[3]) < now then arrived = tonumber(ARGV[3]) end
local at, before = merged(KEYS[1], arrived, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], text(at) .. ' ' .. text(before), 'PX', ARGV[2])
local previous = redis.call('HGET', KEYS[2], 'tip') or '-'
local seq = redis.call('HINCRBY', KEYS[2], 'seq', 1)
redis.call('HSET', KEYS[2], 'tip', ARGV[4], 'last', text(now))
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[5], table.concat({text(seq), ARGV[4], previous, text(arrived), ARGV[6]}, ' '))
local reply = {text(arrived)}
local bus = redis.call('HGETALL', KEYS[2])
for i = 1, #bus, 2 do
  local replica = string.match(bus[i], '^m:(.+)$')
  if replica then
    local age = now - tonumber(bus[i + 1])
    if age > 60000000 then
      redis.call('HDEL', KEYS[2], bus[i])
    else
      reply[#reply + 1] = replica
      reply[#reply + 1] = text(age)
    end
  end
end
return reply`);

/** KEEP tombstone · arrived issuedBefore lifetimeMs: a remembered tombstone once more, after the store may have lost it. */
export const KEEP = script(`#!lua flags=allow-oom
${MERGED}
local at, before = merged(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]))
return redis.call('SET', KEYS[1], string.format('%.0f %.0f', at, before), 'PX', ARGV[3])`);

/** PUT session · format expiresAtMs field value… → 1 unless a record of another format is there: a whole record. */
export const PUT = script(`
local format = redis.call('HGET', KEYS[1], 'f')
if format and format ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return 1`);

/** SWAP session · version expiresAtMs field value… → 'swapped', 'changed' or 'gone': a new record in the place of that version. */
export const SWAP = script(`
local version = redis.call('HGET', KEYS[1], 'v')
if not version then return 'gone' end
if version ~= ARGV[1] then return 'changed' end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return 'swapped'`);

/**
 * CLAIM session · version replica time → 'ours', 'doubtful', 'changed', 'gone', or who has sent the refresh token and when.
 * `?` stands where a process has lived to see that no answer came.
 */
export const CLAIM = script(`
local version = redis.call('HGET', KEYS[1], 'v')
if not version then return 'gone' end
if version ~= ARGV[1] then return 'changed' end
local sent = redis.call('HGET', KEYS[1], 'w') or ''
local by = string.match(sent, '^(%S+) ')
if by and by ~= '?' and by ~= ARGV[2] then return sent end
redis.call('HSET', KEYS[1], 'w', ARGV[2] .. ' ' .. ARGV[3])
if by then return 'doubtful' end
return 'ours'`);

/** RELEASE session · replica: what this replica has sent found no answer. */
export const RELEASE = script(`
local sent = redis.call('HGET', KEYS[1], 'w') or ''
if string.match(sent, '^(%S+) ') ~= ARGV[1] then return 0 end
return redis.call('HSET', KEYS[1], 'w', '? ' .. string.match(sent, ' (.*)$'))`);

/** TAKE session · version → 1 where that version was there and is deleted. */
export const TAKE = script(`
if redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** SEEN session · format lastSeenMs expiresAtMs: the user's activity; only ever later, and in no record of another format. */
export const SEEN = script(`
if redis.call('HGET', KEYS[1], 'f') ~= ARGV[1] then return 0 end
local seen = redis.call('HGET', KEYS[1], 's')
if not seen or tonumber(seen) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[2])
return redis.call('PEXPIREAT', KEYS[1], ARGV[3])`);

/**
 * ENROLL index · home lifetimeMs → how many are in it: puts a session at the end of an index. The order is that of enrolment.
 * A session that begins its lifetime anew keeps its place, so that a listing under way does not have it twice, and gets
 * another only where that is older than one lifetime: no session that lives has one older than two, and what has goes.
 */
export const ENROLL = script(`
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local lifetime = ARGV[2] * 1000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 2 * lifetime)
local place = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not place or tonumber(place) < now - lifetime then
  local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
  if newest[2] and tonumber(newest[2]) >= now then now = tonumber(newest[2]) + 1 end
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`);

/**
 * READ_JAR cookies · prefix → field, value…: those of one jar. Allowed with a full memory, so that requests go on; and a write
 * by its flags, so that a server that has become a replica of another answers nothing.
 */
export const READ_JAR = script(`#!lua flags=allow-oom
local found = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #ARGV[1]) == ARGV[1] then
    found[#found + 1] = all[i]
    found[#found + 1] = all[i + 1]
  end
end
return found`);

/**
 * WRITE_JAR cookies · expiresAtMs most deletes field… field value… → 'kept', 'full' or 'ended': takes cookies out and puts others
 * in, unless the session has ended; where there are `most`, only in the place of those that are there. What there is goes at
 * `expiresAtMs` or later: a replica that does not know of a new sign-in yet must not shorten it.
 */
export const WRITE_JAR = script(`
if redis.call('HEXISTS', KEYS[1], 'ended') == 1 then return 'ended' end
local deletes = tonumber(ARGV[3])
if deletes > 0 then redis.call('HDEL', KEYS[1], unpack(ARGV, 4, 3 + deletes)) end
local room = tonumber(ARGV[2]) - redis.call('HLEN', KEYS[1])
local outcome = 'kept'
for i = 4 + deletes, #ARGV, 2 do
  if room > 0 or redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    room = room - redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  else
    outcome = 'full'
  end
end
if redis.call('PEXPIREAT', KEYS[1], ARGV[1], 'NX') == 0 then redis.call('PEXPIREAT', KEYS[1], ARGV[1], 'GT') end
return outcome`);

/** TAKE_JARS cookies · forMs → field, value…: all there is, to whoever comes first; nothing is kept there for a while then. */
export const TAKE_JARS = script(`#!lua flags=allow-oom
local all = {}
if redis.call('HEXISTS', KEYS[1], 'ended') == 0 then all = redis.call('HGETALL', KEYS[1]) end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'ended', '')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return all`);

/** ONCE name · forMs → 1 for whoever comes first, 0 for all others meanwhile. */
export const ONCE = script(`
if redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) then return 1 end
return 0`);
