-- Put a waiting id back into its list: a worker died between BLPOP and claim.
-- Atomic because a claim in between would leave a doubled entry.
--
-- KEYS 1 job (hash)  2 its list  3 ledger (zset)
-- ARGV 1 id
-- Returns 1 put back, 0 it is not missing.
if redis.call('HGET', KEYS[1], 'status') ~= 'pending' then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return 0
end
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 0 end
if redis.call('LPOS', KEYS[2], ARGV[1]) then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[1])
return 1
