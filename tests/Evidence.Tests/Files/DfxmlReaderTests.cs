using System.Text;
using Evidence.Files;
using Xunit;

namespace Evidence.Tests.Files;

/// <summary>What fiwalk says, right and wrong.</summary>
public sealed class DfxmlReaderTests
{
    /// <summary>As fiwalk 4.11.1 writes it.</summary>
    private const string Walked = """
        <?xml version='1.0' encoding='UTF-8'?>
        <dfxml xmlns='http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML' version='1.0'>
          <source><image_filename>disk.img</image_filename></source>
          <!-- TSK_Error 'Cannot determine file system type' at sector 0 -->
          <volume offset='1048576'>
            <partition_offset>1048576</partition_offset>
            <block_size>4096</block_size>
            <ftype>1</ftype>
            <ftype_str>ntfs</ftype_str>
            <fileobject><parent_object><inode>5</inode></parent_object><filename>$MFT</filename><name_type>r</name_type><filesize>71680</filesize><alloc>1</alloc><inode>0</inode><meta_type>1</meta_type>
              <byte_runs><byte_run file_offset='0' fs_offset='16384' img_offset='1064960' len='71680'/></byte_runs></fileobject>
            <fileobject><parent_object><inode>5</inode></parent_object><filename>folder/.</filename><name_type>d</name_type><filesize>48</filesize><inode>66</inode></fileobject>
            <fileobject><parent_object><inode>66</inode></parent_object><filename>folder/a &amp; b</filename><name_type>r</name_type><filesize>1048576</filesize><unalloc>1</unalloc><compressed>1</compressed><inode>67</inode>
              <byte_runs>
                <byte_run file_offset='0' fill='0' len='499712'/>
                <byte_run file_offset='499712' fs_offset='14680064' img_offset='15728640' uncompressed_len='8192'/>
                <byte_run file_offset='507904' uncompressed_len='4096'/>
              </byte_runs></fileobject>
            <fileobject><parent_object><inode>5</inode></parent_object><filename>small</filename><filesize>15</filesize><inode>64</inode>
              <byte_runs><byte_run file_offset='0' fs_offset='0' img_offset='0' len='15' type='resident'/></byte_runs></fileobject>
          </volume>
        </dfxml>
        """;

    [Fact]
    public void Files_are_read_with_their_ranges_and_what_is_nowhere_has_none()
    {
        ImageFile[] files = Read(Walked);
        Assert.Equal(["$MFT", "folder/a & b", "small"], files.Select(f => f.Path), StringComparer.Ordinal);
        ImageFile file = files[1];
        Assert.Equal((1, 1_048_576L, "ntfs", 67UL, 1_048_576L, true, false, true, false, "1:67"),
            (file.Partition, file.Volume, file.FileSystem, file.Inode, file.Length, file.IsDeleted, file.IsFolder, file.IsCompressed, file.IsResident, file.Id));
        Assert.Equal([new FileRun(499_712, 15_728_640, 8192)], file.Runs);
        Assert.True(files[2].IsResident);
        Assert.Empty(files[2].Runs);
        Assert.Equal(0UL, files[0].Inode);
    }

    [Fact]
    public void Whatever_comes_is_files_or_a_format_error()
    {
        byte[] valid = Encoding.UTF8.GetBytes(Walked);
        int refused = 0;
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            byte[] mutant = [.. valid];
            for (int changes = random.Next(1, 5); changes > 0; changes--)
                mutant[random.Next(mutant.Length)] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)'9', _ => (byte)'<' };
            if (random.Next(10) == 0)
                mutant = mutant[..random.Next(mutant.Length)];
            try
            {
                foreach (ImageFile file in DfxmlReader.Read(new MemoryStream(mutant)))
                {
                    Assert.True(file.Length >= 0 && file.Volume >= 0);
                    Assert.All(file.Runs, run => Assert.True(run.Length > 0 && run.ImageOffset >= 0 && run.FileOffset + run.Length > 0));
                }
            }
            catch (FormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 500, 2999);
    }

    [Theory]
    [InlineData("<!DOCTYPE dfxml [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><dfxml><volume><fileobject><filename>&a;</filename><inode>1</inode></fileobject></volume></dfxml>")]
    [InlineData("<dfxml><fileobject><filename>a</filename><inode>99999999999999999999</inode></fileobject></dfxml>")]
    [InlineData("<dfxml><fileobject><filename>a</filename><inode>-1</inode></fileobject></dfxml>")]
    [InlineData("")]
    public void What_is_no_such_document_is_refused(string text) => Assert.Throws<FormatException>(() => Read(text));

    private static ImageFile[] Read(string text) => [.. DfxmlReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)))];
}
