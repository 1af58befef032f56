using System.Buffers.Binary;
using Evidence.Acquisition;
using Evidence.Formats.Ewf;
using Evidence.Rescue;
using Evidence.Sources;
using Evidence.Sources.Ewf;
using Evidence.Tests.Vaults;
using Evidence.Vaults;

namespace Evidence.Tests.Sources.Ewf;

/// <summary>E01 files for tests: made by this library, taken apart and put together again by hand.</summary>
internal static class E01
{
    /// <summary>Makes an E01 of content, of which some ranges are as a mapfile says, or are holes.</summary>
    internal static async Task<(EwfExportResult Export, AcquisitionResult Image)> MakeAsync(
        TestVault vault, Vault open, byte[] content, string name, EwfExportOptions? options = null, RescueMap? mapfile = null, IEnumerable<SourceExtent>? extents = null)
    {
        AcquisitionResult image = await TestVault.AcquireAsync(open, content, new AcquisitionOptions { Item = name, Mapfile = mapfile }, extents);
        EwfExportResult export = await EwfExport.WriteAsync(open.OpenImage(image.Image), vault.At(name + ".E01"), options, cancellation: TestVault.Stop);
        return (export, image);
    }

    /// <summary>The sections of a file, with their offsets.</summary>
    internal static List<(long Offset, EwfSection Section)> Sections(ReadOnlySpan<byte> file)
    {
        var sections = new List<(long, EwfSection)>();
        long offset = EwfFormat.HeaderLength;
        while (true)
        {
            EwfSection section = EwfSection.Decode(file[(int)offset..], out _);
            sections.Add((offset, section));
            if (section.Type is "done" or "next")
                return sections;
            offset = section.Next;
        }
    }

    /// <summary>The offset of a section of a type.</summary>
    internal static int Find(byte[] file, string type) => (int)Sections(file).First(s => s.Section.Type == type).Offset;

    /// <summary>The offset of a section's content.</summary>
    internal static int Content(byte[] file, string type) => Find(file, type) + EwfSection.DescriptorLength;

    /// <summary>Makes every checksum right again, in the sections that were there before something was changed.</summary>
    internal static void Seal(byte[] file, List<(long Offset, EwfSection Section)> sections)
    {
        foreach ((long offset, EwfSection section) in sections)
        {
            int at = (int)offset;
            Write(file, at, 72);
            int content = at + EwfSection.DescriptorLength;
            int length = (int)(section.Next - content);
            switch (section.Type)
            {
                case "volume" or "data" or "digest" or "hash" or "evidence":
                    Write(file, content, length - 4);
                    break;
                case "table" or "table2":
                    Write(file, content, 20);
                    Write(file, content + 24, length - 28);
                    break;
                case "error2":
                    Write(file, content, 516);
                    Write(file, content + 520, length - 524);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Reads all of a source, chunk by chunk; what it refuses stays null.</summary>
    internal static byte[]?[] ReadAll(Source source, int piece)
    {
        var pieces = new byte[]?[(source.Length!.Value + piece - 1) / piece];
        for (int i = 0; i < pieces.Length; i++)
        {
            var buffer = new byte[Math.Min(piece, source.Length.Value - ((long)i * piece))];
            try
            {
                source.Read((long)i * piece, buffer);
                pieces[i] = buffer;
            }
            catch (SourceReadException)
            {
                // It says so: that is what it is for.
            }
        }

        return pieces;
    }

    private static void Write(byte[] file, int start, int length) =>
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(start + length), Adler32.Compute(file.AsSpan(start, length)));
}
