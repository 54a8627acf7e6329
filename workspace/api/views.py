"""REST: jobs, where an answer of 202 says how the work goes."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.items import item
from core.api.openapi import choice
from core.api.views import IdempotentPosts
from core.filters import chosen
from core.jobs.models import Job
from registry.lookups import require_sight
from workspace.api.serializers import JobInListSerializer, JobSerializer
from workspace.job_access import find_job, visible_jobs
from workspace.services import cancel_job


class JobViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/jobs``: what an actor asked for, and what is about models they see."""

    serializer_class = JobInListSerializer
    query_parameters = (choice("status", Job.Status.values),)
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        """Newest first; ``?status=`` narrows."""
        require_sight(self.request.actor)
        jobs = visible_jobs(self.request.actor).defer("payload", "result", "log_tail")
        status = chosen(self.request, "status", Job.Status.values)
        return jobs.filter(status=status) if status else jobs

    @extend_schema(responses=JobSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """How far it is, what it says, and why it failed; unchanged since If-None-Match is 304."""
        return item(request, JobSerializer(find_job(request, pk)).data)

    @extend_schema(request=None, responses={200: JobSerializer, 202: JobSerializer})
    def cancel(self, request: Request, pk: str) -> Response:
        """200: it will never run. 202: it runs, and stops at its next check."""
        job = cancel_job(actor=request.actor, job=find_job(request, pk))
        return item(request, JobSerializer(job).data, status=200 if job.is_over else 202)
