-- In open_books(): what is read, and the events that will be written.

  local stored = call('HMGET', KEYS[1], 'plan', 'terms', 'next_terms', 'options', 'limits', 'active',
                      'kept', 'mark', 'top_up', 'open_top_ups', 'alerts')

  local function read_terms(text)
    local a, b, c, d, e, f, g, name = match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
    return {text = text, allocation = tonumber(a), percent = tonumber(b), cycles = tonumber(c),
            price = tonumber(d), minimum = tonumber(e), per_minute = tonumber(f), burst = tonumber(g),
            name = name}
  end
  local function read_options(text)
    local a, b, c, d, e = match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
    return {text = text, overage = a == '1', cap = tonumber(b), overdraft = tonumber(c),
            threshold = tonumber(d), cents = tonumber(e)}
  end
  local function read_grant(line)
    local a, b, c, d, e, kind, id = match(line, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
    return {priority = tonumber(a), expires = tonumber(b), at = tonumber(c), amount = tonumber(d),
            remaining = tonumber(e), kind = kind, id = id}
  end
  local function write_grant(g)
    return format('%d %d %d %d %d ', g.priority, g.expires, g.at, g.amount, g.remaining) .. g.kind ..
           ' ' .. g.id
  end

  -- An alert as it was given, and what stands before it in the account: of one of the organization, whether
  -- it is armed; of one of an agent, conversation or key, since when it counts.
  local function read_alert(text, first)
    local kind, level, scope, id = match(text, '^(%d) (%d+) ?(%d?) ?(.*)$')
    local alert = {text = text, first = first, kind = tonumber(kind), level = tonumber(level)}
    if scope ~= '' then alert.scope, alert.id = scope, id else alert.armed = first == '1' end
    return alert
  end

  local plan = false  -- nothing before the first `configure`
  if stored[1] then
    local a, b, c, d, e, f, g = match(stored[1], '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
    plan = {owed = tonumber(f), told_exhausted = g == '1' or g == '3', told_cap = g == '2' or g == '3',
            alerts = {}, anchor = tonumber(a), cycle = tonumber(b), start = tonumber(c), stop = tonumber(d),
            peak = tonumber(e), terms = read_terms(stored[2]),
            next_terms = stored[3] and stored[3] ~= '' and read_terms(stored[3]) or false,
            options = read_options(stored[4]), limits = stored[5] or ''}
  end
  if plan then
    for first, text in string.gmatch(stored[11] or '', '(%d+) ([^\n]+)') do
      plan.alerts[#plan.alerts + 1] = read_alert(text, first)
    end
  end
  local active, batches, mark = {}, {}, tonumber(stored[8] or 0)
  for line in string.gmatch(stored[6] or '', '[^\n]+') do active[#active + 1] = read_grant(line) end
  for line in string.gmatch(stored[7] or '', '[^\n]+') do
    local a, b, c = match(line, '^= (%S+) (%S+) (%S+)$')
    if a then
      batches[#batches + 1] = {stop = tonumber(a), claims = tonumber(b), cycle = tonumber(c), grants = {}}
    else
      local grants = batches[#batches].grants
      grants[#grants + 1] = read_grant(line)
    end
  end
  local spent, not_before, failures, requested = 0, 0, 0, 0
  if stored[9] then
    local a, b, c, d = match(stored[9], '^(%S+) (%S+) (%S+) (%S+)$')
    spent, not_before, failures, requested = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
  end
  local open_top_ups = {}
  for id in string.gmatch(stored[10] or '', '[^\n]+') do open_top_ups[#open_top_ups + 1] = id end

  -- The books of a cycle, a list of numbers: start, stop, closed, settled, allocation, purchase, top_up,
  -- promotion, correction, rolled in, rolled out, forfeited, overage room, rollover room, rollover ends,
  -- price; `billed` and `name` beside them. See cycle_record.
  local START, STOP, CLOSED, SETTLED, IN, OUT, FORFEITED = 1, 2, 3, 4, 10, 11, 12
  local ROOM, ROLL_ROOM, ROLL_ENDS, PRICE = 13, 14, 15, 16
  local records, touched = {}, {}
  local function record(index)
    local books = records[index]
    if not books then
      books = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, billed = {}, name = ''}
      local text = call('HGET', KEYS[7], integer(index))
      if text then
        local numbers, billed, name = match(text, '^(.-) ([^ \t]*)\t(.*)$')
        local i = 0
        for number in string.gmatch(numbers, '%S+') do
          i = i + 1
          books[i] = tonumber(number)
        end
        for amount, price in string.gmatch(billed, '(%d+)@(%d+)') do
          books.billed[#books.billed + 1] = {tonumber(amount), tonumber(price)}
        end
        books.name = name
      end
      records[index] = books
    end
    touched[index] = true
    return books
  end
  local function write_record(index, books)
    local texts, billed = {}, {}
    for i = 1, 16 do texts[i] = integer(books[i]) end
    for i, line in ipairs(books.billed) do billed[i] = integer(line[1]) .. '@' .. integer(line[2]) end
    call('HSET', KEYS[7], integer(index), table.concat(texts, ' ') .. ' ' .. table.concat(billed, ',') ..
         '\t' .. books.name)
  end

  local top_ups, changed_top_ups = {}, {}
  local function find_top_up(id)
    local found = top_ups[id]
    if found == nil then
      local text = call('HGET', KEYS[8], id)
      found = false
      if text then
        local kind, rest = match(text, '^(%a) (.*)$')
        found = {id = id, automatic = kind == 'a', generation = 0, refunded = 0, disputed = 0}
        local names = {'status', 'cents', 'amount', 'requested', 'next', 'attempts', 'resolved', 'cycle',
                       'generation', 'refunded', 'disputed'}
        local i = 0
        for number in string.gmatch(rest, '%S+') do
          i = i + 1
          found[names[i]] = tonumber(number)
        end
      end
      top_ups[id] = found
    end
    return found
  end
  local REQUESTED, PENDING, PAID, DECLINED, TIMED_OUT = 0, 1, 2, 3, 4
  -- The account's list names those that are open.
  local function set_status(top_up, status)
    local is_open = status == REQUESTED or status == PENDING or (status == TIMED_OUT and top_up.automatic)
    top_up.status = status
    changed_top_ups[top_up.id] = top_up
    for i = #open_top_ups, 1, -1 do
      if open_top_ups[i] == top_up.id then table.remove(open_top_ups, i) end
    end
    if is_open then open_top_ups[#open_top_ups + 1] = top_up.id end
  end
  local function open_automatic()
    for _, id in ipairs(open_top_ups) do
      local top_up = find_top_up(id)
      if top_up.automatic then return top_up end
    end
  end

  -- Facts are names and values in turn.
  local function emit(kind, ...)
    local facts = {}
    for i = 1, select('#', ...) do
      local fact = select(i, ...)
      facts[i] = type(fact) == 'number' and integer(fact) or fact
    end
    events = events or {}
    events[#events + 1] = {kind, table.concat(facts, ' ')}
  end
  local STATUS = {[0] = 'requested', 'pending', 'paid', 'declined', 'timed_out'}
  local function emit_top_up(kind, top_up)
    emit(kind, 'cents', top_up.cents, 'credits', top_up.amount, 'status', STATUS[top_up.status], 'top_up',
         top_up.id)
  end
