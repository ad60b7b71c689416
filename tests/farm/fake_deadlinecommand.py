"""Stands in for Thinkbox Deadline's ``deadlinecommand JOB_INFO PLUGIN_INFO``: takes what the manual allows.

Accepted jobs go as JSON into the folder FAKE_DEADLINE_FARM. A job whose name holds FAKE_DEADLINE_REFUSES is
refused.
"""

import json
import os
import re
import sys

NUMBERED = ("OutputDirectory", "OutputFilename", "EnvironmentKeyValue", "ExtraInfo", "ExtraInfoKeyValue")
KEYS = {
    *(
        "Plugin Frames Name Comment Department BatchName UserName MachineName Pool SecondaryPool Group"
    ).split(),
    *("Priority ChunkSize ConcurrentTasks LimitConcurrentTasksToNumberOfCpus OnJobComplete").split(),
    *("SynchronizeAllAuxiliaryFiles ForceReloadPlugin Sequential SuppressEvents Protected").split(),
    *("InitialStatus NetworkRoot MinRenderTimeSeconds MinRenderTimeMinutes TaskTimeoutSeconds").split(),
    *("TaskTimeoutMinutes StartJobTimeoutSeconds StartJobTimeoutMinutes OnTaskTimeout").split(),
    *("InitializePluginTimeoutSeconds EnableTimeoutsForScriptTasks EnableFrameTimeouts").split(),
    *("EnableAutoTimeout Interruptible InterruptiblePercentage RemTimeThreshold MachineLimit").split(),
    *("MachineLimitProgress Whitelist Blacklist LimitGroups JobDependencies").split(),
    *("JobDependencyPercentage IsFrameDependent FrameDependencyOffsetStart").split(),
    *("FrameDependencyOffsetEnd ResumeOnCompleteDependencies ResumeOnDeletedDependencies").split(),
    *("ResumeOnFailedDependencies RequiredAssets ScriptDependencies OverrideJobFailureDetection").split(),
    *("FailureDetectionJobErrors OverrideTaskFailureDetection FailureDetectionTaskErrors").split(),
    *("IgnoreBadJobDetection SendJobErrorWarning DeleteOnComplete ArchiveOnComplete").split(),
    *("IncludeEnvironment UseJobEnvironmentOnly CustomPluginDirectory EventOptIns").split(),
}
COMMAND_LINE_KEYS = set("Executable Arguments StartupDirectory Shell ShellExecute SingleFramesOnly".split())
COUNTS = {
    "Priority": (0, 100),
    "ChunkSize": (1, 10**6),
    "ConcurrentTasks": (1, 16),
    "MachineLimit": (0, 10**6),
    "TaskTimeoutSeconds": (0, 10**8),
    "FailureDetectionTaskErrors": (0, 10**6),
}
CHOICES = {
    "OnTaskTimeout": {"Error", "Notify", "ErrorAndNotify", "Complete"},
    "OverrideTaskFailureDetection": {"True", "False"},
    "ShellExecute": {"True", "False"},
    "SingleFramesOnly": {"True", "False"},
}


class Refused(Exception):
    pass


def text_of(path):
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith(b"\xff\xfe"):
        return data[2:].decode("utf-16-le")
    return data.decode("ascii")


def values_of(path, keys):
    if not os.path.isfile(path):
        raise Refused(f"Error: The file {path} does not exist")
    values = {}
    for line in text_of(path).splitlines():
        key, found, value = line.partition("=")
        stem = re.sub(r"\d+\Z", "", key)
        if not found or not value or value != value.strip():
            raise Refused(f"Error: not Key=Value: {line!r}")
        if key not in keys and not (keys is KEYS and key != stem and stem in NUMBERED):
            raise Refused(f"Error: {key} is no setting")
        if key in values:
            raise Refused(f"Error: {key} is given twice")
        low, high = COUNTS.get(key, (None, None))
        if low is not None and not (value.isdigit() and low <= int(value) <= high):
            raise Refused(f"Error: {key}={value} is out of range")
        if value not in CHOICES.get(key, {value}):
            raise Refused(f"Error: {key}={value} is no choice")
        values[key] = value
    return values


def main(arguments):
    farm = os.environ["FAKE_DEADLINE_FARM"]
    if len(arguments) != 2:
        raise Refused("Error: expected a job info file and a plugin info file")
    job, plugin = values_of(arguments[0], KEYS), values_of(arguments[1], COMMAND_LINE_KEYS)
    if job.get("Plugin") != "CommandLine" or "Executable" not in plugin:
        raise Refused("Error: no plugin of that name")
    if not re.match(r"\d+(-\d+)?\Z", job.get("Frames", "")):
        raise Refused("Error: Frames={} is no list of frames".format(job.get("Frames")))
    for stem in NUMBERED:
        count = sum(re.sub(r"\d+\Z", "", key) == stem for key in job)
        if any(stem + str(number) not in job for number in range(count)):
            raise Refused(f"Error: {stem} is not numbered from 0 on")
    waits = job.get("JobDependencies", "").split(",") if "JobDependencies" in job else []
    for id in waits:
        if not os.path.isfile(os.path.join(farm, id + ".json")):
            raise Refused(f"Error: there is no job {id}")
    refused = os.environ.get("FAKE_DEADLINE_REFUSES")
    if refused and refused in job["Name"]:
        raise Refused("Error: The pool\n  comp does not exist.")
    id = f"{0x546CC87357DBB04344A5C6B5 + len(os.listdir(farm)):024x}"
    with open(os.path.join(farm, id + ".json"), "w", encoding="utf-8") as file:
        json.dump({"id": id, "job": job, "plugin": plugin, "waits": waits}, file)
    if not os.environ.get("FAKE_DEADLINE_SILENT"):
        print("Deadline Command 10.4\n\nSubmitting to Repository: farm\n")
        print(f"Result=Success\nJobID={id}\n\nThe job was submitted successfully.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as error:
        print(error)
        sys.exit(1)
