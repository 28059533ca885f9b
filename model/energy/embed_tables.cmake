# Writes the component tables into one source file, byte by byte.
#   cmake -DTABLES=<folder> -DOUTPUT=<file> -P embed_tables.cmake
file(GLOB tables ${TABLES}/*.json)
list(SORT tables)
set(text "#include \"model/energy/built_in.h\"\n\nnamespace loopscape {\nnamespace {\n\n")
set(list "")
set(number 0)
foreach(table IN LISTS tables)
  file(READ ${table} bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  cmake_path(GET table FILENAME name)
  string(APPEND text "constexpr char kTable${number}[] = {${bytes}0};\n")
  string(APPEND list
    "    {\"energy_tables/${name}\", {kTable${number}, sizeof(kTable${number}) - 1}},\n")
  math(EXPR number "${number} + 1")
endforeach()
string(APPEND text "constexpr BuiltInTable kTables[] = {\n${list}};\n\n}  // namespace\n\n"
  "std::span<const BuiltInTable> built_in_tables() { return kTables; }\n\n"
  "}  // namespace loopscape\n")
file(WRITE ${OUTPUT} "${text}")
