# Installs the libraries, the headers, nexauth.pc and the CMake package nexauth::nexauth.
include(CMakePackageConfigHelpers)

set(NEXAUTH_PRIVATE_REQUIRES "libcurl >= 7.88, libcjson >= 1.7.15")
if(NEXAUTH_XML)
    string(APPEND NEXAUTH_PRIVATE_REQUIRES ", libxml-2.0 >= 2.9")
endif()
# The tree may be installed or moved anywhere: nexauth.pc finds the prefix from where it lies itself.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(NEXAUTH_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
    set(NEXAUTH_PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
    set(NEXAUTH_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
    file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(NEXAUTH_PC_PREFIX "\${pcfiledir}/${up}")
    set(NEXAUTH_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(NEXAUTH_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(nexauth.pc.in nexauth.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/nexauth.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/nexauth DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
install(TARGETS nexauth_shared EXPORT nexauth-targets)
install(TARGETS nexauth_static)
install(EXPORT nexauth-targets NAMESPACE nexauth:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nexauth)

configure_package_config_file(nexauth-config.cmake.in nexauth-config.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nexauth)
write_basic_package_version_file(nexauth-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/nexauth-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/nexauth-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nexauth)
