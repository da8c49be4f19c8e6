-- In open_books(): what is written back, and what it offers; here it ends.

  local function save()
    refresh()
    local lines, gate = {}, nil
    for i, g in ipairs(active) do lines[i] = write_grant(g) end
    local active_text = table.concat(lines, '\n')
    lines = {}
    for _, batch in ipairs(batches) do
      lines[#lines + 1] = format('= %d %d %d', batch.stop, batch.claims, batch.cycle)
      for _, g in ipairs(batch.grants) do lines[#lines + 1] = write_grant(g) end
    end
    gate = cycle .. format(' %d %d %d %d %d %d %d %d %d %d %d', cycle_start, old_before, kept, room,
                           overdraft, threshold, plan_due, until_then, top_up_open, alert_at,
                           told + (member_alerts and 4 or 0))
    local write = {KEYS[1], 'gate', gate, 'active', active_text, 'kept', table.concat(lines, '\n'),
                   'mark', integer(mark)}
    local function set(name, value)
      write[#write + 1] = name
      write[#write + 1] = value
    end
    if plan then
      local alerts = {}
      for i, alert in ipairs(plan.alerts) do
        alerts[i] = (alert.scope and alert.first or alert.armed and '1' or '0') .. ' ' .. alert.text
      end
      set('alerts', table.concat(alerts, '\n'))
      if member_alerts then set('member_alerts', member_alerts) end
      set('plan', format('%d %d %d %d %d %d %d', plan.anchor, plan.cycle, plan.start, plan.stop, plan.peak,
                         plan.owed, told))
      set('terms', plan.terms.text)
      set('next_terms', plan.next_terms and plan.next_terms.text or '')
      set('options', plan.options.text)
      set('limits', plan.limits)
      set('top_up', format('%d %d %d %d', spent, not_before, failures, requested))
      set('open_top_ups', table.concat(open_top_ups, '\n'))
    end
    call('HSET', unpack(write))
    for index in pairs(touched) do write_record(index, records[index]) end
    for id, t in pairs(changed_top_ups) do
      call('HSET', KEYS[8], id, (t.automatic and 'a' or 'm') ..
           format(' %d %d %d %d %d %d %d %d', t.status, t.cents, t.amount, t.requested, t.next,
                  t.attempts, t.resolved, t.cycle) ..
           -- An older version cannot read these: only where there is something to say.
           (t.generation + t.refunded + t.disputed > 0 and
            format(' %d %d %d', t.generation, t.refunded, t.disputed) or ''))
    end
  end

  return {
    add_grant = function(...)
      local amount = add_grant(...)
      refresh()
      return amount
    end,
    priority_of = priority_of, bill = bill, advance = advance, cycle_at = cycle_at, use_late = use_late,
    release_claims = release_claims, forfeit_unclaimed = forfeit_unclaimed,
    watch_threshold = watch_threshold, request_top_up = request_top_up, lease_top_up = lease_top_up,
    resolve_top_up = resolve_top_up, take_back_top_up = take_back_top_up, configure = configure, save = save,
    tell_refused = function(how)
      tell_refused(how)
      refresh()
    end,
    tell_member = function(alert, used, scope, who)
      emit('usage_threshold', alert.kind == 0 and 'percent' or 'credits', alert.level, 'used', used, 'of',
           given_in_cycle(), scope == 0 and 'agent' or scope == 1 and 'conversation' or 'key', who)
    end,
    watch_alerts = function()
      watch_alerts()
      refresh()
    end,
    cycle_end = function() return plan and plan.stop or 0 end,
  }
end

local books_opened, books_changed
local function books()
  books_changed = true
  books_opened = books_opened or open_books()
  return books_opened
end
local function books_to_read()
  books_opened = books_opened or open_books()
  return books_opened
end
