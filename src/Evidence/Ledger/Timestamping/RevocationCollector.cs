using System.Security.Cryptography.X509Certificates;

namespace Evidence.Ledger.Timestamping;

/// <summary>Fetches, when a token is taken, the revocation lists that a chain's certificates name (RFC 5280, section 4.2.1.13).</summary>
internal static class RevocationCollector
{
    /// <summary>How many lists are kept for one certificate: the newest of those that were brought, and the one that was fetched.</summary>
    internal const int MostLists = 4;

    /// <summary>The lists that could be had, beside those at hand.</summary>
    /// <param name="chain">The certificates, the authority's own first.</param>
    /// <param name="atHand">Lists that were brought.</param>
    /// <param name="client">How to reach the network; null where there is none.</param>
    /// <param name="cancellation">Stops it.</param>
    internal static async Task<(IReadOnlyList<RevocationList> Lists, IReadOnlyList<string> Lacking)> CollectAsync(
        IReadOnlyList<X509Certificate2> chain, IReadOnlyList<RevocationList> atHand, TimestampClient? client, CancellationToken cancellation)
    {
        var lists = new List<RevocationList>();
        var lacking = new List<string>();
        for (int i = 0; i < chain.Count; i++)
        {
            X509Certificate2 certificate = chain[i];
            if (AuthorityChain.IsRoot(chain, i))
                break;
            string name = AuthorityChain.NameOf(certificate);
            if (i + 1 >= chain.Count)
            {
                lacking.Add($"{name}: the certificate of its issuer could not be had.");
                break;
            }

            X509Certificate2 issuer = chain[i + 1];
            RevocationList[] brought = [.. atHand.Where(list => list.SpeaksOf(certificate, issuer)).OrderByDescending(list => list.ThisUpdate).Take(MostLists - 1)];
            lists.AddRange(brought);
            (RevocationList? fetched, string reason) = await FetchAsync(certificate, issuer, client, cancellation).ConfigureAwait(false);
            if (fetched is not null)
                lists.Add(fetched);
            else if (brought.Length == 0)
                lacking.Add($"{name}: {reason}");
        }

        return (lists, lacking);
    }

    private static async Task<(RevocationList? List, string Reason)> FetchAsync(
        X509Certificate2 certificate, X509Certificate2 issuer, TimestampClient? client, CancellationToken cancellation)
    {
        string reason = "it names no revocation list that can be fetched over HTTP.";
        foreach (Uri address in AddressesOf(certificate))
        {
            if (client is null)
                return (null, $"its revocation list at {address} was not fetched, and none was brought.");
            try
            {
                RevocationList list = RevocationList.Decode(await client.FetchAsync(address, RevocationList.LargestSize, cancellation).ConfigureAwait(false));
                if (list.SpeaksOf(certificate, issuer))
                    return (list, "");
                reason = $"the revocation list at {address} is not its issuer's, or does not speak of it.";
            }
            catch (Exception e) when (e is EvidenceException or FormatException)
            {
                reason = e.Message;
            }
        }

        return (null, reason);
    }

    private static IEnumerable<Uri> AddressesOf(X509Certificate2 certificate) =>
        from name in DistributionPoints.NamesOf(certificate)
        where name.StartsWith(DistributionPoints.UriPrefix, StringComparison.Ordinal)
        let address = Uri.TryCreate(name[DistributionPoints.UriPrefix.Length..], UriKind.Absolute, out Uri? parsed) ? parsed : null
        where address?.Scheme is "http" or "https"
        select address;
}
