#!lua flags=allow-oom
-- End many held jobs that have succeeded, by one worker. Their rows say so already.
-- Atomic because of each job the lease, the state and the message must change together, by its
-- holder only. Of the message the job keeps its id in all jobs' log alone: the rest of it is in its
-- hash, and a log of its own for one entry is dear where jobs are quick.
--
-- KEYS 1 leases (zset)  2 all jobs' event log (stream)  3 answer of this operation (list)
--      4 prefix of the job hashes, completed by an id (same slot)
-- ARGV 1 worker instance  2 how long the hashes are kept, s  3 prefix of the channels
--      4 how long the answer is kept, s  5 and 6 the message (JSON) before and after the id, which
--      needs no escape  7.. id, fence of each job
-- Returns an array, for each job 1 settled or 0 another holds it.
local earlier = redis.call('LRANGE', KEYS[3], 0, -1)
if #earlier > 0 then
  for i = 1, #earlier do earlier[i] = tonumber(earlier[i]) end
  return earlier
end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local settled, ended = {}, {}
for i = 7, #ARGV, 2 do
  local id = ARGV[i]
  local key = KEYS[4] .. id
  local held = redis.call('HMGET', key, 'status', 'fence', 'instance', 'tenant')
  if held[1] == 'processing' and held[2] == ARGV[i + 1] and held[3] == ARGV[1] then
    local message = ARGV[5] .. id .. ARGV[6]
    local entry = redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'data', message,
      'tenant', held[4] or '', 'job', id)
    redis.call('HSET', key, 'status', 'completed', 'progress', '100', 'cancel', '0',
      'updated_ms', now, 'ended', entry)
    redis.call('EXPIRE', key, ARGV[2])
    redis.call('PUBLISH', ARGV[3] .. id, message)
    ended[#ended + 1] = id
    settled[#settled + 1] = 1
  else
    settled[#settled + 1] = 0
  end
end
if #ended > 0 then redis.call('ZREM', KEYS[1], unpack(ended)) end
redis.call('RPUSH', KEYS[3], unpack(settled))
redis.call('EXPIRE', KEYS[3], ARGV[4])
return settled
