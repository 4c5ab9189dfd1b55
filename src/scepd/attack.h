/*
 * attack.h - an attacker's foothold in the front, for a test build (meson -Dattack_hook=true).
 * Compiled to nothing otherwise.
 *
 *	SCEPD_ATTACK=PORT   once the front serves, whoever listens on 127.0.0.1:PORT runs code in it
 *
 * tests/fault/front-attacker.sh is who listens.  It may make every system call with every argument
 * and memory of its choice, which is what running code comes to as far as other processes, files and the
 * kernel are concerned.
 */
#ifndef SCEPD_SCEPD_ATTACK_H
#define SCEPD_SCEPD_ATTACK_H

#ifdef SCEPD_ATTACK_HOOK
/* From a process that has entered its sandbox.  What goes wrong is only logged. */
void attack_begin(void);
#else
#define attack_begin() ((void)0)
#endif

#endif
