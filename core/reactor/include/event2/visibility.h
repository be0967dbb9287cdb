/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_VISIBILITY_H_INCLUDED_
#define EVENT2_VISIBILITY_H_INCLUDED_

/**
 * @file event2/visibility.h
 *
 * The marks that public declarations carry. A program sees them expand to nothing. On Windows one
 * that defines EVENT2_USE_DLL calls the DLLs without a detour; one that links the static libraries
 * must not. A component that is being built defines EVI_BUILD_COMPONENT.
 */

#include <event2/event-config.h>

#if defined(EVI_BUILD_COMPONENT) && defined(_WIN32)
#define EVENT2_EXPORT_SYMBOL __declspec(dllexport)
#elif defined(EVENT2_USE_DLL) && defined(_WIN32)
#define EVENT2_EXPORT_SYMBOL __declspec(dllimport)
#elif defined(EVI_BUILD_COMPONENT) && defined(__GNUC__)
#define EVENT2_EXPORT_SYMBOL __attribute__((visibility("default")))
#else
#define EVENT2_EXPORT_SYMBOL
#endif

/* Data that components share; a user never needs it. */
#define EVENT2_CORE_EXPORT_SYMBOL EVENT2_EXPORT_SYMBOL

/* The formats are those of C99 everywhere; the C library of Windows would leave out some. */
#if defined(__MINGW32__) && !defined(__clang__)
#define EVI_PRINTF(format, first) __attribute__((__format__(__gnu_printf__, format, first)))
#elif defined(__GNUC__)
#define EVI_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))
#else
#define EVI_PRINTF(format, first)
#endif

#endif
