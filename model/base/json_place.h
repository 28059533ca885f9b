// Places in JSON documents, as the people who wrote them see them.
#pragma once

#include <string>
#include <string_view>

namespace loopscape {

// The JSON pointer `place` takes every list to be written as one; but a list of one may be written
// as its element, and a list of names as one string. Steps that the document `text` does not have
// are left out: "/nodes/1/network/0/class" becomes "/nodes/1/network/class".
std::string written_place(std::string_view text, std::string_view place);

}  // namespace loopscape
