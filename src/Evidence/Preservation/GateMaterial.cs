using Evidence.Hashing;
using Evidence.Vaults;

namespace Evidence.Preservation;

/// <summary>The documents that the gate needs beside the ledger's entries, which name them by their digests: policies, calendars, papers, time stamps.</summary>
public abstract class GateMaterial
{
    /// <summary>A policy; null where its document is not there, or is none.</summary>
    public abstract PreservationPolicy? FindPolicy(Sha256Digest digest);

    /// <summary>A calendar of working days; null likewise.</summary>
    public abstract WorkingCalendar? FindCalendar(Sha256Digest digest);

    /// <summary>Whether a paper is there that shows what somebody said or did; by its name alone, for whether it is what its name says a verification tells.</summary>
    public abstract bool HasPaper(Sha256Digest digest);

    /// <summary>What those prove of the time whom a policy trusts for that.</summary>
    public abstract OutsideTimes TimesFor(PreservationPolicy policy);

    /// <summary>What a vault has, for a docket of its ledger.</summary>
    public static GateMaterial Of(Vault vault, Docket docket)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(docket);
        return new VaultMaterial(vault, docket);
    }

    private sealed class VaultMaterial(Vault vault, Docket docket) : GateMaterial
    {
        private readonly Dictionary<Sha256Digest, PreservationPolicy?> policies = [];
        private readonly Dictionary<Sha256Digest, WorkingCalendar?> calendars = [];
        private readonly Dictionary<Sha256Digest, OutsideTimes> times = [];
        private readonly Dictionary<Sha256Digest, bool> papers = [];

        public override PreservationPolicy? FindPolicy(Sha256Digest digest) => Find(policies, digest, bytes => PreservationPolicy.Parse(bytes));

        public override WorkingCalendar? FindCalendar(Sha256Digest digest) => Find(calendars, digest, bytes => WorkingCalendar.Parse(bytes));

        public override bool HasPaper(Sha256Digest digest)
        {
            if (!papers.TryGetValue(digest, out bool isThere))
                papers.Add(digest, isThere = vault.Documents.Contains(digest));
            return isThere;
        }

        public override OutsideTimes TimesFor(PreservationPolicy policy)
        {
            if (!times.TryGetValue(policy.Digest, out OutsideTimes? proved))
                times.Add(policy.Digest, proved = new StampJudge(vault.Ledger, docket).Judge(policy.Time.Authorities));
            return proved;
        }

        private T? Find<T>(Dictionary<Sha256Digest, T?> known, Sha256Digest digest, Func<byte[], T> parse)
            where T : class
        {
            if (known.TryGetValue(digest, out T? found))
                return found;
            try
            {
                found = vault.Documents.TryRead(digest, LargestDocument) is { } bytes ? parse(bytes) : null;
            }
            catch (FormatException)
            {
                // What is no policy is no policy in force; the rule that wants it says so.
                found = null;
            }

            known.Add(digest, found);
            return found;
        }
    }

    private const int LargestDocument = 1 << 20;
}
