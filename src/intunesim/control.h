/*
 * control.h - who may use the control API.
 *
 * It has no password: it is for this machine.  What has to be kept out is a page on the Internet
 * that the administrator's browser has open: it can send requests here (cross-site request forgery)
 * and, with a name of its own that points to 127.0.0.1 (DNS rebinding), even read the answers.  A
 * browser says who asks: Origin names the page, Host the name that was looked up, and no form can
 * send JSON.
 */
#ifndef SCEPD_INTUNESIM_CONTROL_H
#define SCEPD_INTUNESIM_CONTROL_H

#include "intunesim/call.h"

/*
 * True when the call may go on; otherwise it has been answered:
 *   421 when Host is neither an address, nor localhost, nor the name of --public-url;
 *   403 when Origin is there and not our own address;
 *   415 when there is a body that does not call itself application/json.
 */
bool control_admit(struct call *c);

/*
 * The same for what devices say.  They come by whatever name reaches us, so Host tells nothing; but
 * every browser puts Origin into a POST, and no device does.  403 when it is there, whatever it is:
 * a check-in's answer holds challenges, and none of our own pages asks for them.
 */
bool control_admit_device(struct call *c);

#endif
