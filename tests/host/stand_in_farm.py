"""Stands in for ``python -m efficienttam farm SCHEDULER DOCUMENT -o DIR --json --submit``.

The farm is what FAKE_FARM says: "takes", "refuses", "crashes", or "mute" (it says nothing of ids).
"""

import json
import os
import sys
import time


def main(arguments):
    scheduler, document, bundle = arguments[0], arguments[1], arguments[arguments.index("-o") + 1]
    what = os.environ.get("FAKE_FARM", "takes")
    if what == "crashes":
        sys.stderr.write("Fatal Python error: none here\n")
        sys.stderr.flush()
        os._exit(77)
    if what == "refuses":
        sys.stderr.write("some warning\nefficienttam: {} is out.\n  Ask again.\n".format(scheduler))
        return 2
    time.sleep(0.1)
    with open(document, encoding="utf-8") as file:
        json.load(file)
    os.makedirs(bundle)
    estimate = {"tasks": {"embed": 4, "track": 2}, "hours": 1.5, "cache_bytes": 3 * 2**30}
    with open(os.path.join(bundle, "plan.json"), "w", encoding="utf-8") as file:
        json.dump({"estimate": estimate}, file)
    submitted = ["id1", "id2", "id3", "id4"] if "--submit" in arguments and what != "mute" else []
    print(json.dumps({"written": [], "submitted": submitted, "refused": []}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
