import efficienttam_nuke.startup

efficienttam_nuke.startup.always()
