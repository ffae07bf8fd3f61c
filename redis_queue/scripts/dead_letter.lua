#!lua flags=allow-oom
-- Mirror a row that reached a final state without its holder: poison, cancelled, or a settle
-- whose second half was lost. Atomic because no trace of waiting or lease may stay behind.
--
-- KEYS 1 job (hash)  2 leases (zset)  3 ledger (zset)  4 scheduled (zset)  5 event log (stream)
--      6 all jobs' event log (stream)
-- ARGV 1 id  2 fence of the row  3 state  4 error  5 how long the hash is kept, s
--      6 message (JSON)  7 channel  8 progress, percent
-- Returns 1 mirrored (or it was already, and nothing is told twice), 0 Redis knows a later fence.
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence')) or 0
if fence > tonumber(ARGV[2]) then return 0 end
local status = redis.call('HGET', KEYS[1], 'status')
if status == ARGV[3] and fence == tonumber(ARGV[2]) then return 1 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'job_id', ARGV[1], 'status', ARGV[3], 'fence', ARGV[2], 'cancel', '0',
  'progress', ARGV[8], 'updated_ms', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[4]) end
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
-- Under one id in both logs; one that is ahead (the other was lost) must not stop the job.
local entry = redis.call('XADD', KEYS[6], 'MAXLEN', '~', 10000, '*', 'data', ARGV[6],
  'tenant', redis.call('HGET', KEYS[1], 'tenant') or '', 'job', ARGV[1])
redis.pcall('XADD', KEYS[5], entry, 'data', ARGV[6])
redis.call('EXPIRE', KEYS[5], ARGV[5])
redis.call('PUBLISH', ARGV[7], ARGV[6])
return 1
