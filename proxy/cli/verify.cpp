#include "proxy/cli/verify.hpp"

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <set>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/asio/co_spawn.hpp>

#include "config/load.hpp"
#include "proxy/archive/archived_history.hpp"
#include "proxy/cli/store_wait.hpp"
#include "proxy/text/json_writer.hpp"
#include "quota/verify.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::size_t orgs_at_once = 100;

using verify_failure = store_failure;

class verifier {
 public:
  verifier(const quota::store_opener& open, const config::archive_settings& archive,
           const verify_options& options, std::ostream& out)
      : options_{options}, out_{out}, store_{open(context_)} {
    if (archive.kind != config::archive_kind::postgresql) return;
    archive_.emplace(archive.url, archive::postgres_archive::longest_statement);
    archived_.emplace(store_->history(), store_->retention(), *archive_);
  }

  std::optional<verify_failure> run() {
    std::optional<verify_failure> failure;
    std::exception_ptr thrown;
    store_->start();
    asio::co_spawn(context_, verify_all(),
                   [&](std::exception_ptr error, std::optional<verify_failure> how) {
                     thrown = error;
                     failure = std::move(how);
                     store_->stop();
                     context_.stop();
                   });
    context_.run();
    if (thrown) std::rethrow_exception(thrown);
    return failure;
  }

 private:
  task<std::optional<verify_failure>> verify_all() {
    const bool is_there = co_await wait_for_store(*store_, context_.get_executor());
    if (!is_there) co_return verify_failure{why_unavailable(*store_)};
    if (!options_.org.empty()) co_return co_await verify_named();
    std::string after;
    for (;;) {
      const auto orgs = co_await store_->directory().list(after, orgs_at_once);
      if (!orgs) co_return failure_of(orgs.error());
      for (const auto& org : *orgs) {
        known_.insert(org.id);
        if (auto failure = co_await verify_one(org.id)) co_return failure;
        if (!out_) co_return std::nullopt;  // the end of the command says why
        after = org.id;
      }
      if (orgs->empty()) break;
    }
    if (!options_.json)
      out_ << verified_ << (verified_ == 1 ? " organization" : " organizations") << '\n';
    if (auto failure = co_await verify_strays()) co_return failure;
    // The list passes over what it cannot read.
    if (const auto why = store_->refusal(); !why.empty()) co_return verify_failure{why};
    co_return verdict();
  }

  // The accounts that the list of organizations does not lead to.
  task<std::optional<verify_failure>> verify_strays() {
    std::set<quota::org_id> found;
    std::string next;
    do {
      const auto page = co_await store_->directory().accounts(std::move(next));
      if (!page && page.error() == quota::store_errc::protocol) {
        co_return verify_failure{
            "cannot look for accounts of no organization in the list: the store's user may not "
            "run SCAN"};
      }
      if (!page) co_return failure_of(page.error());
      for (const auto& org : page->orgs) {
        if (!known_.contains(org)) found.insert(org);
      }
      next = page->next;
    } while (!next.empty());
    for (const auto& org : found) {
      const auto there = co_await is_there(org);
      if (!there) co_return failure_of(there.error());
      if (*there) continue;
      if (auto failure = co_await verify_one(org)) co_return failure;
      strays_.push_back(org);
      if (!out_) break;
    }
    co_return std::nullopt;
  }

  // Whether it is an organization by now, or one that cannot be read: that is said elsewhere.
  task<result<bool>> is_there(const quota::org_id& org) {
    const auto listed = co_await store_->directory().is_listed(org);
    if (listed && !*listed) co_return false;
    if (!listed) co_return result<bool>{boost::system::in_place_error, listed.error()};
    const auto found = co_await store_->directory().find(org);
    if (!found && found.error() != quota::store_errc::protocol) {
      co_return result<bool>{boost::system::in_place_error, found.error()};
    }
    co_return !found || found->has_value();
  }

  task<std::optional<verify_failure>> verify_named() {
    const auto found = co_await store_->directory().find(options_.org);
    if (!found) co_return failure_of(found.error());
    if (!*found) co_return verify_failure{"no such organization: " + options_.org};
    if (auto failure = co_await verify_one(options_.org)) co_return failure;
    co_return verdict();
  }

  quota::account_history& history() {
    if (archived_) return *archived_;
    return store_->history();
  }

  task<std::optional<verify_failure>> verify_one(quota::org_id org) {
    const auto proof = co_await quota::verify(history(), store_->guards(), org);
    if (!proof) {
      auto failure = failure_of(proof.error());
      if (store_->refusal().empty()) failure.message.insert(0, org + ": ");
      co_return failure;
    }
    ++verified_;
    if (!proof->differences.empty()) ++wrong_;
    options_.json ? print_json(org, *proof) : print_text(org, *proof);
    co_return std::nullopt;
  }

  verify_failure failure_of(error_code ec) const {
    if (auto why = store_->refusal(); !why.empty()) return {std::move(why)};
    if (archive::is_of_archive(ec)) return {ec.message()};
    return {"the connection to the store broke: " + ec.message()};
  }

  void print_text(const quota::org_id& org, const quota::verification& proof) {
    out_ << org << ": " << (proof.differences.empty() ? "ok" : "WRONG") << ", " << proof.entries
         << " entries, available " << to_string(proof.row.available()) << '\n';
    for (const auto& one : proof.differences) {
      out_ << "  " << one.what << ": recorded " << one.recorded << ", proven " << one.proven
           << '\n';
    }
  }

  void print_json(const quota::org_id& org, const quota::verification& proof) {
    admin::json_writer line;
    line.begin_object().key("org").string(org).key("ok").boolean(proof.differences.empty());
    line.key("entries").number(proof.entries).key("available").number(proof.row.available());
    line.key("differences").begin_array();
    for (const auto& one : proof.differences) {
      line.begin_object().key("what").string(one.what).key("recorded").string(one.recorded);
      line.key("proven").string(one.proven).end_object();
    }
    out_ << line.end_array().end_object().take() << '\n';
  }

  std::optional<verify_failure> verdict() const {
    std::string message;
    if (wrong_ != 0) {
      message = "the books of " + std::to_string(wrong_) + " of " + std::to_string(verified_) +
                " do not add up";
    }
    if (!strays_.empty()) {
      constexpr std::size_t most_named = 20;
      if (!message.empty()) message += "; ";
      message += std::to_string(strays_.size()) +
                 (strays_.size() == 1 ? " account is" : " accounts are") +
                 " of no organization in the list, as after a loss of the store's data: ";
      for (std::size_t i = 0; i < std::min(strays_.size(), most_named); ++i) {
        message.append(i == 0 ? "" : ", ").append(strays_[i]);
      }
      if (strays_.size() > most_named) message += ", ...";
    }
    if (message.empty()) return {};
    return verify_failure{std::move(message)};
  }

  const verify_options& options_;
  std::ostream& out_;
  asio::io_context context_{1};
  std::unique_ptr<quota::store> store_;
  std::optional<archive::archive_reader> archive_;  // has the entries that the store has dropped
  std::optional<archive::archived_history> archived_;
  std::size_t verified_ = 0, wrong_ = 0;
  std::set<quota::org_id> known_;      // listed
  std::vector<quota::org_id> strays_;  // accounts of no organization in the list
};

}  // namespace

int run_verify(const verify_options& options, const store_finder& find_store, std::ostream& out,
               std::ostream& err) {
  const auto loaded = config::load_file(options.config, options.env);
  if (const auto* errors = std::get_if<std::vector<config::config_error>>(&loaded)) {
    for (const auto& error : *errors) err << to_string(error) << '\n';
    return 2;
  }
  const auto& settings = std::get<config::configuration>(loaded).values;
  const auto store = find_store(settings.store.url, quota::store_access::read_only);
  const auto fail = [&](const verify_failure& failure) {
    err << "tollgate: " << failure.message << '\n';
    return failure.exit_code;
  };
  if (const auto* failure = std::get_if<store_failure>(&store)) return fail(*failure);
  const auto& open = std::get<quota::store_opener>(store);
  if (const auto failure = verifier{open, settings.archive, options, out}.run()) {
    return fail(*failure);
  }
  return 0;
}

void add_verify_command(CLI::App& app, int& exit_code, const store_finder& find_store) {
  auto* const command = app.add_subcommand("verify", "Recompute every balance from the ledger");
  const auto options = std::make_shared<verify_options>();
  command->add_option("--config", options->config, "the configuration, for its store")
      ->required()
      ->type_name("FILE");
  command->add_option("ORG", options->org, "one organization; default: all");
  command->add_flag("--json", options->json, "print a JSON object for each organization");
  command->callback([options, find_store, &exit_code] {
    exit_code = run_verify(*options, find_store, std::cout, std::cerr);
  });
}

}  // namespace tollgate::proxy
