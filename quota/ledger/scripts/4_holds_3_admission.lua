-- In serve(): what stands in the way of a hold.

  -- What stands in the way of holding `more`: outcome, what there is to say about it, and whether a
  -- critical call is refused, too.
  local function objection(more, by, critical, placed, standing, counted)
    local beyond = more - available - max(room, 0)
    local money = room >= 0 and '24' or '20'
    if beyond > 0 and critical and overdraft >= 0 and beyond > overdraft then
      return money, nil, true
    end
    local limited = limits and members().objection(more, by, placed, standing, counted)
    if limited then return '25', limited end
    if beyond > 0 then return money end
  end

  -- What would have been admitted, when the next credits come, whether some have been asked for, and what
  -- other calls hold. Of the first refusal somebody may want to be told, if `needed` credits would have been
  -- refused with nothing held: holds give back what they do not use.
  local function refuse_for_money(outcome, amount, more, needed, standing)
    local untold = outcome == '20' and told % 2 == 0 or outcome == '24' and told < 2
    say(outcome, amount, format('%s W%d,%d,0,3,0,%d,%d', more, max(available + max(room, 0), 0), until_then,
                                top_up_open, held - standing))
    if untold and needed > available + held + max(room, 0) then books().tell_refused(outcome) end
  end

  -- The request rate: a bucket in which a request is 60,000 and out of which the requests of a minute run
  -- each millisecond. Returns what an answer says of it, and when there will be one if there is none now.
  local function take_request()
    local per_minute, burst, level, at = match(rate, '^(%d+) (%d+) (%d+) (%d+)$')
    per_minute, burst, level = tonumber(per_minute), tonumber(burst), tonumber(level)
    local elapsed = min(max(now - at, 0), 1000000000)
    level = max(level - elapsed * per_minute, 0)
    local excess, wait = level + 60000 - burst * 60000, nil
    if excess <= 0 then
      level = level + 60000
    else
      wait = format(' W0,%d,0,3,0,0,0', now - floor(-excess / per_minute))
    end
    rate = format('%d %d %d %d', per_minute, burst, level, now)
    return format(' R%d,%d,%d,%d', per_minute, burst, floor((burst * 60000 - level) / 60000),
                  now - floor(-level / per_minute)), wait
  end
