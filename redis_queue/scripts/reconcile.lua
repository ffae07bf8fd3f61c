-- Make Redis say of one job what its row says: after a wipe, a restart or a failover, or when
-- the second half of a transition was lost.
-- Atomic because a live holder may restore its own hash at the same moment.
--
-- KEYS 1 job (hash)  2 its list  3 ledger (zset)  4 scheduled (zset)  5 leases (zset)
--      6 queue names (set)
-- ARGV 1 id  2 queue name  3 state of the row  4 fence of the row  5 due, ms since the epoch
--      6 lease, ms: how long a running job's holder has to show itself
--      7 how long a final hash is kept, s  8 enqueued, ms since the epoch
--      9 fence in Redis that the caller knows to be wrong, or ""
--      10.. field, value, ... of the whole hash
-- Returns 1 put back, 0 Redis knows this job at least as well as the row does.
local known = redis.call('HMGET', KEYS[1], 'status', 'fence')
if known[1] and known[2] ~= ARGV[9] and (tonumber(known[2]) or 0) >= tonumber(ARGV[4]) then
  -- The same fence and a cancelled hash: the cancellation wins over an unfinished row.
  return 0
end
local final = {completed = true, failed = true, cancelled = true}
if final[known[1]] and known[2] == ARGV[4] and not final[ARGV[3]] then
  -- The caller read the row a moment before this very hold of the job ended.
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'job_id', ARGV[1], 'queue', ARGV[2], 'status', ARGV[3],
  'fence', ARGV[4], 'enqueued_ms', ARGV[8], unpack(ARGV, 10))
redis.call('SADD', KEYS[6], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
if ARGV[3] == 'pending' then
  redis.call('ZADD', KEYS[3], ARGV[8], ARGV[1])
  redis.call('RPUSH', KEYS[2], ARGV[1])
elseif ARGV[3] == 'scheduled' then
  redis.call('ZADD', KEYS[4], ARGV[5], ARGV[1])
elseif ARGV[3] == 'processing' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZADD', KEYS[5], string.format('%.0f', now + ARGV[6]), ARGV[1])
else
  redis.call('EXPIRE', KEYS[1], ARGV[7])
end
return 1
