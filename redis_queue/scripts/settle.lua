#!lua flags=allow-oom
-- End a held job: completed, failed or cancelled. The row says so already.
-- Atomic because the lease, the state and the message must change together, by the holder only.
--
-- KEYS 1 job (hash)  2 leases (zset)  3 event log (stream)  4 answer of this operation (list)
--      5 all jobs' event log (stream)
-- ARGV 1 id  2 fence  3 worker instance  4 state  5 error  6 progress, percent
--      7 how long the hash is kept, s  8 message (JSON)  9 channel
--      10 how long the answer is kept, s
-- Returns 1 settled, 0 another holds the job.
local earlier = redis.call('LINDEX', KEYS[4], 0)
if earlier then return tonumber(earlier) end
local held = redis.call('HMGET', KEYS[1], 'status', 'fence', 'instance')
if held[1] ~= 'processing' or held[2] ~= ARGV[2] or held[3] ~= ARGV[3] then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'status', ARGV[4], 'progress', ARGV[6], 'cancel', '0',
  'updated_ms', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[5]) end
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('ZREM', KEYS[2], ARGV[1])
-- Under one id in both logs; one that is ahead (the other was lost) must not stop the job.
local entry = redis.call('XADD', KEYS[5], 'MAXLEN', '~', 10000, '*', 'data', ARGV[8],
  'tenant', redis.call('HGET', KEYS[1], 'tenant') or '', 'job', ARGV[1])
redis.pcall('XADD', KEYS[3], entry, 'data', ARGV[8])
redis.call('EXPIRE', KEYS[3], ARGV[7])
redis.call('PUBLISH', ARGV[9], ARGV[8])
redis.call('RPUSH', KEYS[4], '1')
redis.call('EXPIRE', KEYS[4], ARGV[10])
return 1
