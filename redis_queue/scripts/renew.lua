#!lua flags=allow-oom
-- Prolong the holder's lease; after a wipe, put its own hash back.
-- Atomic because the check of the holder and the write of the lease must not be seen apart.
-- A hash with a lower fence was put back after the wipe from a row read before this hold began;
-- its entry in the list is passed over by claims.
--
-- KEYS 1 job (hash)  2 leases (zset)  3 ledger (zset)  4 scheduled (zset)
-- ARGV 1 id  2 fence  3 worker instance  4 lease, ms  5 "1" if the worker is stopping
--      6.. field, value, ... of the whole hash, for the case that it is gone
-- Returns {1, cancel} renewed, cancel "1" if somebody asked for it; {0} another holds the job.
local held = redis.call('HMGET', KEYS[1], 'status', 'fence', 'instance', 'cancel')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if not held[1] or (tonumber(held[2]) or 0) < tonumber(ARGV[2]) then
  local called_off = held[1] == 'cancelled' or held[4] == '1'
  held[4] = called_off and '1' or '0'
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('ZREM', KEYS[4], ARGV[1])
  redis.call('HSET', KEYS[1], 'job_id', ARGV[1], 'status', 'processing', 'fence', ARGV[2],
    'instance', ARGV[3], 'updated_ms', string.format('%.0f', now), unpack(ARGV, 6))
  redis.call('HSET', KEYS[1], 'cancel', held[4])
elseif held[1] ~= 'processing' or held[2] ~= ARGV[2] or held[3] ~= ARGV[3] then
  return {0}
end
redis.call('HSET', KEYS[1], 'stopping', ARGV[5])
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[4]), ARGV[1])
return {1, held[4] or '0'}
