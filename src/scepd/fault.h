/*
 * fault.h - named points between two steps of an enrolment where a test build (meson
 * -Dfault_points=true) can kill the process, as SCEPD_FAULT=<point> says.  Compiled to nothing
 * otherwise.
 */
#ifndef SCEPD_SCEPD_FAULT_H
#define SCEPD_SCEPD_FAULT_H

#ifdef SCEPD_FAULT_POINTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
