# The pages of a site: web/ (TypeScript) is built by Node.js into a few files, which one generated
# source file embeds with .incbin. Built anew only when something under web/ changes.
#
#   warifu_pages(TARGET warifu_web)
#
# Packages come from npm exactly as web/package-lock.json has them, without install scripts, into
# web/node_modules. Without Node.js: -DWARIFU_WEB=OFF makes a program that serves the API only.

include_guard(GLOBAL)

function(warifu_pages)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET" "")
  set(source "${CMAKE_SOURCE_DIR}/web")
  set(out "${CMAKE_BINARY_DIR}/web")
  if(NOT WARIFU_WEB)
    set(generated "${out}/no_assets.cc")
    file(CONFIGURE OUTPUT "${generated}" CONTENT
      "#include \"web/assets.h\"\nstd::span<const warifu::web::Asset> warifu::web::assets() { return {}; }\n")
    target_sources(${arg_TARGET} PRIVATE "${generated}")
    return()
  endif()
  set(generated "${out}/assets.cc")
  file(GLOB_RECURSE inputs CONFIGURE_DEPENDS "${source}/src/*" "${source}/tools/*")
  list(APPEND inputs "${source}/package-lock.json" "${source}/vite.config.ts" "${source}/index.html" "${source}/kiosk.html")
  add_custom_command(OUTPUT "${generated}"
    COMMAND "${WARIFU_NODE}" "${source}/tools/build.mjs" --out "${out}"
    DEPENDS ${inputs}
    WORKING_DIRECTORY "${source}"
    COMMENT "Building the pages (npm ci, vite)"
    VERBATIM)
  target_sources(${arg_TARGET} PRIVATE "${generated}")
  set_source_files_properties("${generated}" PROPERTIES
    SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
endfunction()

if(WARIFU_WEB)
  find_program(WARIFU_NODE NAMES node nodejs)
  find_program(WARIFU_NPM NAMES npm)
  set(warifu_node_version "0")
  if(WARIFU_NODE)
    execute_process(COMMAND "${WARIFU_NODE}" --version OUTPUT_VARIABLE warifu_node_version
      OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REPLACE "v" "" warifu_node_version "${warifu_node_version}")
  endif()
  if(NOT WARIFU_NPM OR warifu_node_version VERSION_LESS 18)
    message(FATAL_ERROR "The pages need Node.js 18 or later with npm (found: "
      "'${warifu_node_version}'): apt-get install nodejs npm, or configure with -DWARIFU_WEB=OFF")
  endif()
endif()
