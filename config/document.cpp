#include "config/document.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <unordered_map>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/source_text.hpp"

namespace tollgate::config {
namespace {

// Ends the parse: text after this error could be misread.
struct broken {
  source_position at;
  std::string message;
};

std::size_t offset_of(const source_text& source, const YAML::Mark& mark) {
  if (mark.is_null()) return 0;
  // yaml-cpp's `pos` sometimes exceeds the end of the text; line and column do not.
  return source.offset(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
}

// yaml-cpp accepts the end of the file as the end of a quoted scalar; a missing quote would
// silently swallow the rest of the file.
bool quote_is_closed(std::string_view from) {
  const char quote = from.front();
  for (std::size_t i = 1; i < from.size(); ++i) {
    if (quote == '"' && from[i] == '\\') {
      ++i;
    } else if (from[i] == quote) {
      const bool doubled = quote == '\'' && i + 1 < from.size() && from[i + 1] == quote;
      if (!doubled) return true;
      ++i;
    }
  }
  return false;
}

std::string_view without_anchor(std::string_view from) {
  if (from.empty() || from.front() != '&') return from;
  from.remove_prefix(std::min(from.find_first_of(" \t\r\n"), from.size()));
  from.remove_prefix(std::min(from.find_first_not_of(" \t\r\n"), from.size()));
  return from;
}

// Builds the tree from yaml-cpp's events.
class tree_builder final : public YAML::EventHandler {
 public:
  tree_builder(const source_text& source, problems& problems)
      : source_{source}, problems_{problems} {}

  node_ptr root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ != 0) {
      throw broken{at(mark), "a second YAML document; the configuration is one document"};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    node made;
    const std::string_view text = text_at(mark);
    const bool written = text.starts_with('~') || text.starts_with("null") ||
                         text.starts_with("Null") || text.starts_with("NULL");
    made.at = written || open_.empty() ? at(mark) : place_of_missing_value();
    complete(std::move(made), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    const std::string_view text = text_at(mark);
    const bool in_quotes = text.starts_with('"') || text.starts_with('\'');
    if (in_quotes && !quote_is_closed(text)) {
      throw broken{at(mark), "this quote is never closed"};
    }
    node made;
    made.what = node::type::scalar;
    made.at = at(mark);
    made.text = value;
    complete(std::move(made), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw broken{at(mark), "this alias contains itself"};
    if (expects_key()) throw broken{at(mark), "a key must be written out, not an alias"};
    attach(found->second, at(mark));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, node::type::list);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, node::type::map);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct container {
    node made;
    YAML::anchor_t anchor = 0;
    bool has_key = false;  // map: a key was read; its value comes next
    std::string key;
    source_position key_at;
    std::unordered_map<std::string, source_position> seen;
  };

  source_position at(const YAML::Mark& mark) const { return source_.at(offset_of(source_, mark)); }
  std::string_view text_at(const YAML::Mark& mark) const {
    return without_anchor(source_.from(offset_of(source_, mark)));
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().made.what == node::type::map && !open_.back().has_key;
  }
  source_position place_of_missing_value() const {
    return open_.back().has_key ? open_.back().key_at : open_.back().made.at;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw broken{at(mark), "a YAML tag; the type of a value follows from its key"};
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            node::type what) {
    refuse_tag(mark, tag);
    if (expects_key()) throw broken{at(mark), "a key must be text"};
    if (open_.size() == deepest_nesting) throw broken{at(mark), "nested too deeply"};
    container fresh;
    fresh.made.what = what;
    fresh.made.at = at(mark);
    fresh.anchor = anchor;
    open_.push_back(std::move(fresh));
  }

  void close() {
    container done = std::move(open_.back());
    open_.pop_back();
    complete(std::move(done.made), done.anchor);
  }

  void complete(node made, YAML::anchor_t anchor) {
    if (expects_key()) return take_key(made);
    made.weight += made.text.size();
    const auto shared = std::make_shared<const node>(std::move(made));
    if (anchor != 0) anchors_[anchor] = shared;
    attach(shared, shared->at);
  }

  void take_key(const node& made) {
    if (made.what != node::type::scalar) throw broken{made.at, "a key must be text"};
    open_.back().has_key = true;
    open_.back().key = made.text;
    open_.back().key_at = made.at;
  }

  void attach(const node_ptr& value, source_position where) {
    if (open_.empty()) {
      root_ = value;
      return;
    }
    container& parent = open_.back();
    parent.made.weight += value->weight;
    if (parent.made.weight > largest_expansion) {
      throw broken{where, "the aliases up to here expand to more than 4 MiB"};
    }
    if (parent.made.what == node::type::list) {
      parent.made.items.push_back(value);
    } else {
      add_member(parent, value);
    }
  }

  void add_member(container& map, const node_ptr& value) {
    map.has_key = false;
    map.made.weight += map.key.size();
    const auto [first, fresh] = map.seen.emplace(map.key, map.key_at);
    if (fresh) {
      map.made.members.push_back({map.key, map.key_at, value});
      return;
    }
    const source_position set_at = first->second;
    problems_.add(map.key_at, "duplicate key " + quoted(map.key) + "; it is set at " +
                                  std::to_string(set_at.line) + ":" +
                                  std::to_string(set_at.column) + " already");
  }

  const source_text& source_;
  problems& problems_;
  std::vector<container> open_;
  std::unordered_map<YAML::anchor_t, node_ptr> anchors_;
  node_ptr root_;
  int documents_ = 0;
};

// The last tab before an error that stands where YAML wants spaces, up to the line of the error.
std::optional<std::size_t> indenting_tab(std::string_view text, std::size_t error_at) {
  std::optional<std::size_t> found;
  const auto end = std::min(text.find('\n', std::min(error_at, text.size())), text.size());
  for (std::size_t at = 0; at < end; at = std::min(text.find('\n', at), end - 1) + 1) {
    const auto first = text.find_first_not_of(' ', at);
    if (first != text.npos && first <= end && text[first] == '\t') found = first;
  }
  return found;
}

// Skips a quoted text or a comment that begins at `at`; returns its last byte.
std::size_t skip_text(std::string_view text, std::size_t at) {
  if (text[at] == '#') return std::min(text.find('\n', at), text.size());
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[at] == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == text[at]) {
      return i;
    }
  }
  return text.size();
}

// The first { or [ that is never closed. Only where a value may begin do they open anything.
std::optional<std::size_t> open_bracket(std::string_view text) {
  std::vector<std::size_t> open;
  bool at_value = true;  // of a line, or behind ": ", "- ", or within brackets ", "
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool blank_before =
        i == 0 || std::string_view{" \t\n"}.find(text[i - 1]) != std::string_view::npos;
    if ((c == '"' || c == '\'') && at_value) {
      i = skip_text(text, i);
      at_value = false;
    } else if (c == '#' && blank_before) {
      i = skip_text(text, i);
      at_value = true;
    } else if ((c == '{' || c == '[') && (at_value || !open.empty())) {
      open.push_back(i);
      at_value = true;
    } else if ((c == '}' || c == ']') && !open.empty()) {
      if ((text[open.back()] == '{') != (c == '}')) return open.back();
      open.pop_back();
      at_value = false;
    } else if (c == '\n' || (c == ',' && !open.empty()) ||
               ((c == ':' || c == '-') && i + 1 < text.size() && text[i + 1] == ' ')) {
      at_value = true;
    } else if (c != ' ') {
      at_value = false;
    }
  }
  if (open.empty()) return {};
  return open.front();
}

// yaml-cpp's message, and the usual cause of that error.
std::string explain_syntax_error(const YAML::Exception& error, std::string_view line) {
  if (line.find("${") != std::string_view::npos) {
    return "YAML: " + error.msg + " (inside { } and [ ] a variable needs quotes: \"${NAME}\")";
  }
  if (error.msg == "illegal map value") {
    return "YAML: " + error.msg +
           " (check the indentation; text that contains \": \" needs quotes)";
  }
  const bool of_blocks = error.msg == "illegal block entry" || error.msg == "illegal map key" ||
                         error.msg == "end of map not found" ||
                         error.msg == "end of sequence not found";
  return "YAML: " + error.msg + (of_blocks ? " (check the indentation)" : "");
}

}  // namespace

node_ptr read_document(const std::string& text, problems& problems) {
  std::string_view content{text};
  if (content.starts_with("\xef\xbb\xbf")) content.remove_prefix(3);
  if (content.size() > largest_file) {
    problems.add({}, "the file is larger than 1 MiB");
    return nullptr;
  }
  const source_text source{content};
  try {
    // yaml-cpp guesses encodings, and treats the control character 0x04 as the end of the file.
    // Neither may change the meaning of a configuration.
    if (const auto flaw = find_flaw(content)) throw broken{source.at(flaw->offset), flaw->what};
    std::istringstream stream{std::string{content}};
    YAML::Parser parser{stream};
    tree_builder builder{source, problems};
    while (parser.HandleNextDocument(builder)) {
    }
    if (builder.root()) return builder.root();
    node empty;
    empty.at = {1, 1};
    return std::make_shared<const node>(std::move(empty));
  } catch (const broken& reason) {
    problems.add(reason.at, reason.message);
  } catch (const YAML::Exception& error) {
    const std::size_t offset = offset_of(source, error.mark);
    if (const auto tab = indenting_tab(content, offset)) {
      problems.add(source.at(*tab), "a tab; YAML is indented with spaces");
    } else if (const auto bracket = open_bracket(content)) {
      problems.add(source.at(*bracket),
                   std::string{"this \""} + content[*bracket] + "\" is never closed");
    } else {
      problems.add(source.at(offset), explain_syntax_error(error, source.line_around(offset)));
    }
  }
  return nullptr;
}

}  // namespace tollgate::config
