"""Speaks the worker's messages and tracks nothing: the object's name tells what it does.

hero: three mattes; slow: goes on until cancelled; crash: ends in the middle; wrong: an error with a remedy.
"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from efficienttam.contract import messages as m  # noqa: E402

cancelled = set()


def say(message):
    sys.stdout.write(m.to_line(message))
    sys.stdout.flush()


def track(request):
    name = request.job.objects[0].name
    say(m.Status(request.id, "Loading."))
    say(m.Progress(request.id, 0, 3))
    if name == "wrong":
        say(m.Failed(request.id, "The plate is wet.", "Dry it.", 3))
        return
    done = 0
    while done < 3 or name == "slow":
        if request.id in cancelled:
            say(m.Failed(request.id, "Stopped.", "", 130))
            return
        done += 1
        say(m.FrameDone(request.id, request.frames[0], "", ()))
        say(m.Progress(request.id, min(done, 3), 3, 0, 1.0))
        if name == "crash":
            sys.stderr.write("segmentation fault\n")
            sys.stderr.flush()
            os._exit(7)
        time.sleep(0.01)
    say(m.Done(request.id, "", 3, 1))


def main():
    say(m.Hello(m.PROTOCOL_VERSION, "stand-in", sys.version.split()[0], os.getpid()))
    for line in sys.stdin:
        request = m.from_line(line)
        if isinstance(request, m.Cancel):
            cancelled.add(request.other)
            say(m.Done(request.id))
        elif isinstance(request, m.TrackRequest):
            threading.Thread(target=track, args=(request,), daemon=True).start()
        elif isinstance(request, m.OpenPlate):
            say(m.PlateOpened(request.id, request.range.first, request.range.last, 200, 100, 1.0, "cpu", ""))
        elif isinstance(request, m.GetReview):
            say(m.Review(request.id, ()))
        elif isinstance(request, (m.Preview, m.GetMattes)):
            say(m.Previewed(request.id, request.frame, ()))
        elif isinstance(request, m.GetPicture):
            say(m.Failed(request.id, "There are no pictures.", ""))
        elif isinstance(request, m.Close):
            return
        else:
            say(m.Done(request.id))


if __name__ == "__main__":
    main()
