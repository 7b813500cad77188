"""The study of bench.yaml with other tolerances or seeds."""

from results_factory import ROOT

from bench.study.config import load_study
from bench.study.specs import Study, TolerancesSpec

STUDY = load_study(ROOT / "bench.yaml")


def with_seeds(profile: str, seeds: list[int], study: Study = STUDY) -> Study:
    spec = study.profiles[profile].model_copy(update={"seeds": seeds})
    return study.model_copy(update={"profiles": study.profiles | {profile: spec}})


def with_gaps(against: str, profile: str, gaps: dict, study: Study = STUDY, **more: object) -> Study:
    """Returns the study with these gaps of a profile alone; `more` are other keys of `tolerances`."""
    old = study.tolerances.model_dump()
    changed = {**old, against: old[against] | {profile: gaps}, **more}
    return study.model_copy(update={"tolerances": TolerancesSpec.model_validate(changed)})
