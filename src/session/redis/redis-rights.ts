// What the gate's user may do at the server, tried out.

import { script } from './redis-script.ts';

/**
 * RIGHTS_OF_USER scratch · channel → the commands that the user may not run, of all that the gate ever runs. A right that is missing
 * shows here, at the start, and not at the first sign-in or end.
 */
export const RIGHTS_OF_USER = script(`#!lua flags=allow-oom
local key, missing = KEYS[1], {}
local function try(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) ~= 'table' or not reply.err then return end
  if string.find(reply.err, 'run this command') or string.find(reply.err, 'permissions to run') then
    missing[#missing + 1] = command
  end
end
try('SET', key, 'x')
try('GET', key)
try('MGET', key)
try('GETRANGE', key, 0, 0)
try('EXISTS', key)
try('PTTL', key)
try('PEXPIREAT', key, 1)
try('HSET', key, 'f', 1)
try('HINCRBY', key, 'f', 1)
try('HGET', key, 'f')
try('HMGET', key, 'f')
try('HGETALL', key)
try('HEXISTS', key, 'f')
try('HLEN', key)
try('HDEL', key, 'f')
try('ZADD', key, 1, 'm')
try('ZSCORE', key, 'm')
try('ZRANGE', key, 0, 0)
try('ZCARD', key)
try('ZREMRANGEBYSCORE', key, 0, 0)
try('ZREM', key, 'm')
try('PEXPIRE', key, 1)
try('DEL', key)
try('TIME')
try('PUBLISH', ARGV[1], '')
return missing`);
