# Defines the target Httplib::httplib: cpp-httplib, compiled as in Debian or of headers alone. The macros must be those that
# the library was compiled with, because types differ with them.
find_path(Httplib_INCLUDE_DIR httplib.h)
find_library(Httplib_LIBRARY cpp-httplib)
mark_as_advanced(Httplib_INCLUDE_DIR Httplib_LIBRARY)
if(Httplib_INCLUDE_DIR)
  file(STRINGS ${Httplib_INCLUDE_DIR}/httplib.h version REGEX "define CPPHTTPLIB_VERSION ")
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" Httplib_VERSION "${version}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Httplib REQUIRED_VARS Httplib_INCLUDE_DIR VERSION_VAR Httplib_VERSION)
if(Httplib_FOUND AND NOT TARGET Httplib::httplib)
  add_library(Httplib::httplib INTERFACE IMPORTED)
  set_target_properties(Httplib::httplib PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${Httplib_INCLUDE_DIR})
  if(Httplib_LIBRARY)
    set_target_properties(Httplib::httplib PROPERTIES
      INTERFACE_LINK_LIBRARIES ${Httplib_LIBRARY}
      INTERFACE_COMPILE_DEFINITIONS "CPPHTTPLIB_OPENSSL_SUPPORT;CPPHTTPLIB_ZLIB_SUPPORT;CPPHTTPLIB_BROTLI_SUPPORT")
  endif()
endif()
