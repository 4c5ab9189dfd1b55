/*
 * fault.h - named points between two steps of an enrolment where a test build (meson
 * -Dfault_points=true) can end processes.  Compiled to nothing otherwise.
 *
 *	SCEPD_FAULT=point         all of scepd is killed there, as by a power cut
 *	SCEPD_FAULT_FRONT=point   the front alone, the first time; the supervisor starts it again
 *	SCEPD_FAULT_SIGNER=point  the signer alone, likewise
 *	SCEPD_STALL=point         whoever comes there stands still for 40 s, as before a disk that does not answer
 *
 * Points of the front are in src/scepd/msg_enrol.c, pipeline_answer.c and publish_*.c, those of the signer in src/signer.
 */
#ifndef SCEPD_BASE_FAULT_H
#define SCEPD_BASE_FAULT_H

#ifdef SCEPD_FAULT_POINTS
void fault_point(const char *name);
void fault_stall(const char *name);
/* The supervisor's: a process has ended so. */
void fault_process_ended(int status);
#else
#define fault_point(name)           ((void)0)
#define fault_stall(name)           ((void)0)
#define fault_process_ended(status) ((void)0)
#endif

#endif
