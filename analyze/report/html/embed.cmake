# SPDX-License-Identifier: MIT
# cmake -DOUTPUT=FILE -DSTYLE=FILE -DSCRIPT=FILE -DCHARTS=FILE -DCHARTS_LICENCE=FILE -P embed.cmake
# Files as bytes in C (assets.h), each with its SHA-256 in base64, which is how a Content-Security-Policy names it. An
# empty name is an asset of no bytes.
set(digits ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)

# The 256 bits and two of padding, twelve at a time: three digits of hexadecimal are two of base64.
function(base64 hex ret)
  set(text)
  foreach(i RANGE 0 63 3)
    string(SUBSTRING "${hex}00" ${i} 3 three)
    math(EXPR high "0x${three} >> 6")
    math(EXPR low "0x${three} & 63")
    string(SUBSTRING ${digits} ${high} 1 a)
    string(SUBSTRING ${digits} ${low} 1 b)
    string(APPEND text ${a}${b})
  endforeach()
  string(SUBSTRING "${text}" 0 43 text)
  set(${ret} "${text}=" PARENT_SCOPE)
endfunction()

set(code "/* Made by embed.cmake. */\n#include \"analyze/report/html/assets.h\"\n\n")
foreach(asset STYLE SCRIPT CHARTS CHARTS_LICENCE)
  string(TOLOWER ${asset} name)
  set(text)
  if(${asset})
    file(READ "${${asset}}" text)
  endif()
  # A reference to a source map is a request when developer tools are open.
  string(REGEX REPLACE "\n//# sourceMappingURL=[^\n]*" "" text "${text}")
  if(NOT asset STREQUAL "CHARTS_LICENCE" AND text MATCHES "</[Ss][CcTt]|<!--")
    message(FATAL_ERROR "'${${asset}}' would end the element it is to stand in")
  endif()
  file(WRITE "${OUTPUT}.part" "${text}")
  file(SHA256 "${OUTPUT}.part" hash)
  file(READ "${OUTPUT}.part" bytes HEX)
  string(LENGTH "${bytes}" size)
  math(EXPR size "${size} / 2")
  base64(${hash} hash)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND code "static const unsigned char ${name}[] = {${bytes}0};\n"
    "const struct pt_asset pt_asset_${name} = {${name}, ${size}, \"sha256-${hash}\"};\n")
endforeach()
file(REMOVE "${OUTPUT}.part")
file(WRITE "${OUTPUT}" "${code}")
