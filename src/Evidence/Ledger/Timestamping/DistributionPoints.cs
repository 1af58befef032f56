using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Evidence.Ledger.Timestamping;

/// <summary>
/// The names of the places that revocation lists are distributed from (RFC 5280, sections 4.2.1.13 and 5.2.5). A certificate names those that speak of it, and a list that is a part only
/// names its own.
/// </summary>
internal static class DistributionPoints
{
    /// <summary>What a name that is a URI begins with here; others are only compared.</summary>
    internal const string UriPrefix = "uri:";

    private const string Extension = "2.5.29.31";

    private static readonly Asn1Tag Outer = new(TagClass.ContextSpecific, 0);

    /// <summary>The names in a certificate; of an extension that cannot be read, those before what is wrong.</summary>
    internal static IReadOnlyList<string> NamesOf(X509Certificate2 certificate)
    {
        if (certificate.Extensions.FirstOrDefault(extension => extension.Oid?.Value == Extension) is not { } extension)
            return [];
        var names = new List<string>();
        try
        {
            AsnReader points = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (points.HasData)
            {
                AsnReader point = points.ReadSequence();
                if (point.HasData && point.PeekTag().HasSameClassAndValue(Outer))
                    Read(point.ReadSequence(Outer), names);
            }
        }
        catch (AsnContentException)
        {
            // What cannot be read names nothing.
        }

        return names;
    }

    /// <summary>Reads a DistributionPointName; one that is relative to the issuer names nothing here.</summary>
    /// <exception cref="AsnContentException">It is none.</exception>
    internal static void Read(AsnReader name, ICollection<string> names)
    {
        if (!name.HasData || !name.PeekTag().HasSameClassAndValue(Outer))
            return;
        AsnReader general = name.ReadSequence(Outer);
        while (general.HasData)
        {
            Asn1Tag tag = general.PeekTag();
            names.Add(tag.TagValue == 6
                ? UriPrefix + general.ReadCharacterString(UniversalTagNumber.IA5String, tag)
                : Convert.ToHexStringLower(general.ReadEncodedValue().Span));
        }
    }
}
