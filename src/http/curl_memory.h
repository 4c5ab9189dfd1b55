/*
 * curl_memory.h - libcurl's own memory, overwritten before it is given back.
 *
 * libcurl copies the body of a POST behind its header, and frees the copy as it is: in a token request
 * that is the app's secret, in a question to Intune a device's challenge.
 */
#ifndef SCEPD_HTTP_CURL_MEMORY_H
#define SCEPD_HTTP_CURL_MEMORY_H

/* In place of curl_global_init(CURL_GLOBAL_DEFAULT); once a process.  Where the program that we are a part of has
 * started libcurl before, its memory stays as it is. */
void curl_memory_start(void);

#endif
