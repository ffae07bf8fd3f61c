-- Record and publish how far a job is.
-- Atomic so that the status, the replayable log and the message tell the same story, and only
-- the holder's.
--
-- KEYS 1 job (hash)  2 its event log (stream)  3 all jobs' event log (stream)
-- ARGV 1 fence  2 worker instance  3 stage  4 percent  5 message (JSON)  6 channel
--      7 entries kept in the log  8 how long the log is kept, s
-- Returns 1 written, 0 another holds the job.
local held = redis.call('HMGET', KEYS[1], 'status', 'fence', 'instance')
if held[1] ~= 'processing' or held[2] ~= ARGV[1] or held[3] ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'stage', ARGV[3], 'progress', ARGV[4],
  'updated_ms', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
-- Under one id in both logs; one that is ahead (the other was lost) must not stop the job.
local entry = redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'data', ARGV[5],
  'tenant', redis.call('HGET', KEYS[1], 'tenant') or '', 'job', redis.call('HGET', KEYS[1], 'job_id') or '')
redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], entry, 'data', ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[8])
redis.call('PUBLISH', ARGV[6], ARGV[5])
return 1
