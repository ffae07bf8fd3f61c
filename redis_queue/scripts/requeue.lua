#!lua flags=allow-oom
-- Give a held job back: to the front of its list, or parked until it is due.
-- Atomic because the job must be in exactly one place: leased, waiting or scheduled.
--
-- KEYS 1 job (hash)  2 leases (zset)  3 its list  4 ledger (zset)  5 scheduled (zset)
--      6 event log (stream)  7 all jobs' event log (stream)
-- ARGV 1 id  2 fence  3 worker instance, or "" if the caller reaps an expired lease
--      4 "pending" or "scheduled"  5 wait until due, ms  6 new fence  7 error or ""
--      8 message (JSON)  9 channel
-- Returns 1 given back, 0 another holds the job (or the lease was renewed meanwhile).
local held = redis.call('HMGET', KEYS[1], 'status', 'fence', 'instance', 'enqueued_ms')
if held[1] ~= 'processing' or held[2] ~= ARGV[2] then return 0 end
if ARGV[3] ~= '' and held[3] ~= ARGV[3] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'status', ARGV[4], 'fence', ARGV[6], 'stopping', '0',
  'updated_ms', string.format('%.0f', now))
redis.call('HDEL', KEYS[1], 'instance', 'worker_id')
if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[7]) end
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[4] == 'scheduled' then
  redis.call('ZADD', KEYS[5], string.format('%.0f', now + ARGV[5]), ARGV[1])
else
  redis.call('ZADD', KEYS[4], held[4] or string.format('%.0f', now), ARGV[1])
  redis.call('LPUSH', KEYS[3], ARGV[1])
end
-- Under one id in both logs; one that is ahead (the other was lost) must not stop the job.
local entry = redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'data', ARGV[8],
  'tenant', redis.call('HGET', KEYS[1], 'tenant') or '', 'job', ARGV[1])
redis.pcall('XADD', KEYS[6], entry, 'data', ARGV[8])
redis.call('PUBLISH', ARGV[9], ARGV[8])
return 1
