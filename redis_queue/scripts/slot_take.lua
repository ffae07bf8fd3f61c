-- Take one of a provider's concurrent places, shared by all workers.
-- Atomic because counting the holders and becoming one must not be seen apart.
-- A dead worker's place comes free when its lease ends: nobody has to notice the death.
--
-- KEYS 1 holders (zset: token by lease end, ms)
-- ARGV 1 token  2 places  3 lease, ms
-- Returns 1 taken (or held already), 0 all places are taken.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if not redis.call('ZSCORE', KEYS[1], ARGV[1])
  and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3] * 4)
return 1
